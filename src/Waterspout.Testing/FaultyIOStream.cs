using System.Net.Sockets;

namespace Waterspout.Testing;

/// <summary>A stream over a socket whose receives and sends can be made to fall short, block, fail and be cut off.</summary>
/// <remarks>
/// Everything that the script does not prevent reaches the socket, so the peer sees real data and a real close.
/// <see cref="StreamPair.CreateFaulty"/> is the usual way to create one. The scripts are read on the loop: set them before the stream is
/// used, or on the loop.
/// </remarks>
public sealed class FaultyIOStream : IOStream
{
    /// <summary>Creates a stream over a connected socket.</summary>
    /// <param name="socket">Belongs to the stream from now on.</param>
    /// <param name="options">Limits and settings; null for the defaults.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    public FaultyIOStream(Socket socket, IOStreamOptions? options = null, IOLoop? loop = null)
        : base(socket, options, loop)
    {
        // A cut is not reported by the poller.
        Receives.RaiseEvent = () => NotifyReadyLater(IOEvents.Read);
        Sends.RaiseEvent = () => NotifyReadyLater(IOEvents.Write);
    }

    /// <summary>The faults of receives. When cut off, receives return EOF.</summary>
    public FaultScript Receives { get; } = new();

    /// <summary>The faults of sends. When cut off, sends fail with <see cref="SocketError.ConnectionReset"/>.</summary>
    public FaultScript Sends { get; } = new();

    /// <inheritdoc/>
    protected override int? ReadFromFd(Span<byte> buffer)
    {
        if (Receives.Admit(buffer.Length) is not { } admitted) return null;
        if (admitted == 0) return 0;
        int? count = base.ReadFromFd(buffer[..admitted]);
        Receives.Report(count ?? 0);
        return count;
    }

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlySpan<byte> data)
    {
        if (AdmitSend(data.Length) is not { } admitted) return null;
        int? count = base.WriteToFd(data[..admitted]);
        Sends.Report(count ?? 0);
        return count;
    }

    /// <inheritdoc/>
    protected override int? WriteToFd(ReadOnlySpan<ReadOnlyMemory<byte>> pieces)
    {
        int length = 0;
        foreach (ReadOnlyMemory<byte> piece in pieces) length += piece.Length;
        if (AdmitSend(length) is not { } admitted) return null;
        int? count = admitted == length ? base.WriteToFd(pieces) : base.WriteToFd(BeginningOf(pieces, admitted));
        Sends.Report(count ?? 0);
        return count;
    }

    private int? AdmitSend(int length) =>
        Sends.Admit(length) is var admitted && admitted != 0 ? admitted : throw new SocketException((int)SocketError.ConnectionReset);

    private static ReadOnlySpan<byte> BeginningOf(ReadOnlySpan<ReadOnlyMemory<byte>> pieces, int most)
    {
        int first = 0;
        while (pieces[first].IsEmpty) first++;
        return pieces[first].Span[..Math.Min(pieces[first].Length, most)];
    }
}
