using System.Net.Sockets;
using Waterspout.Interop;

namespace Waterspout.Tests;

/// <summary>A socket stream whose descriptor follows a script.</summary>
public sealed class ScriptedStream(Socket socket, IOStreamOptions? options = null) : IOStream(socket, options)
{
    /// <summary>The most bytes that a call reads or writes.</summary>
    public int MostAtOnce { get; set; } = int.MaxValue;

    /// <summary>What the next reads do first: null would block, an exception is thrown.</summary>
    public Queue<Exception?> Reads { get; } = new();

    /// <summary>What the next writes do first: null would block, an exception is thrown.</summary>
    public Queue<Exception?> Writes { get; } = new();

    public int ReadCalls { get; private set; }

    public int WriteCalls { get; private set; }

    public long BytesRead { get; private set; }

    protected override int? ReadFromFd(Span<byte> buffer)
    {
        ReadCalls++;
        if (Reads.TryDequeue(out Exception? error)) return error is null ? null : throw error;
        int? count = base.ReadFromFd(buffer[..Math.Min(buffer.Length, MostAtOnce)]);
        BytesRead += count ?? 0;
        return count;
    }

    protected override int? WriteToFd(ReadOnlySpan<byte> data)
    {
        WriteCalls++;
        if (Writes.TryDequeue(out Exception? error)) return error is null ? null : throw error;
        return base.WriteToFd(data[..Math.Min(data.Length, MostAtOnce)]);
    }

    protected override int? WriteToFd(ReadOnlySpan<ReadOnlyMemory<byte>> pieces)
    {
        if (MostAtOnce == int.MaxValue && Writes.Count == 0)
        {
            WriteCalls++;
            return base.WriteToFd(pieces);
        }

        foreach (ReadOnlyMemory<byte> piece in pieces)
            if (!piece.IsEmpty) return WriteToFd(piece.Span);
        return 0;
    }
}

/// <summary>Unix sockets whose every receive and send transfers at most this number of bytes.</summary>
public sealed class ScriptedTransport(int mostAtOnce = int.MaxValue) : Transport
{
    public override bool IsBytewise => mostAtOnce == 1;

    public override int Rounds(int many) => IsBytewise ? many / 8 : many;

    public override int MoreThanTheKernelTakes => mostAtOnce == 1 ? 100_000 : base.MoreThanTheKernelTakes;

    public override Task<(BaseIOStream Left, BaseIOStream Right)> ConnectAsync(IOStreamOptions? options)
    {
        (int left, int right) = Sockets.CreatePair();
        return Task.FromResult<(BaseIOStream, BaseIOStream)>((MakeStream(left, options), MakeStream(right, options)));
    }

    private ScriptedStream MakeStream(int descriptor, IOStreamOptions? options) =>
        new(new Socket(new SafeSocketHandle(descriptor, ownsHandle: true)), options) { MostAtOnce = mostAtOnce };
}
