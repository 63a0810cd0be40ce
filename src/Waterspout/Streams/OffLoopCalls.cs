using System.Buffers;
using Waterspout.Writes;

namespace Waterspout;

/// <summary>What a stream needs for calls of threads other than its loop's. Created by the first of them.</summary>
internal sealed class OffLoopCalls
{
    private int _reads;

    /// <summary>What they have written.</summary>
    internal StagedWrites Writes { get; } = new();

    /// <summary>Memory that is lent to one of them for writing into; null before the first time.</summary>
    internal ArrayBufferWriter<byte>? Reserved { get; set; }

    /// <summary>A read crosses to the loop, and has not begun there.</summary>
    internal bool IsReadCrossing => Volatile.Read(ref _reads) > 0;

    internal void BeginRead() => Interlocked.Increment(ref _reads);

    internal void EndRead() => Interlocked.Decrement(ref _reads);
}
