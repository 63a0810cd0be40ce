namespace Waterspout.Buffers;

/// <summary>Blocks for what streams write within a turn, kept by the thread that sends them.</summary>
/// <remarks>
/// Every stream that answers in a turn holds a block until the turn's end. The shared pool keeps 32 arrays of a size for each
/// core, and makes new ones for the rest: of 64 connections on one core, half allocated 4 KiB an answer.
/// </remarks>
internal static class BlockPool
{
    /// <summary>Holds most messages. What is more gets larger arrays, of the shared pool.</summary>
    internal const int BlockSize = 4 * 1024;

    // As many streams as one batch of the poller's events can make answer: 1 MiB for each loop.
    private const int Capacity = 256;

    [ThreadStatic] private static byte[][]? t_blocks;
    [ThreadStatic] private static int t_count;

    internal static byte[] Rent() => t_count > 0 ? t_blocks![--t_count] : GC.AllocateUninitializedArray<byte>(BlockSize);

    internal static void Return(byte[] block)
    {
        t_blocks ??= new byte[Capacity][];
        if (t_count < Capacity) t_blocks[t_count++] = block;
    }
}
