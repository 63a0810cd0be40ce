using System.Net.Sockets;

namespace Waterspout.Tests.Tls;

/// <summary>How a relay forwards what it receives in one direction.</summary>
public enum Relaying
{
    /// <summary>As it comes.</summary>
    Straight,

    /// <summary>The first thousands of bytes one at a time, each received before the next is sent.</summary>
    Bytewise,

    /// <summary>Held back for some turns, and then all in one piece.</summary>
    InLumps,
}

/// <summary>Forwards bytes between two sockets that it creates, as a test demands.</summary>
public sealed class Relay
{
    private const int BytewiseUpTo = 6000;

    private readonly Relaying _relaying;
    private readonly IOStream _left;
    private readonly IOStream _right;
    private bool _isCut;

    public Relay(Relaying relaying = Relaying.Straight, int? bufferSize = null)
    {
        _relaying = relaying;
        IOStreamOptions options = new() { AllowHalfOpen = true };
        (Left, Socket left) = Connect(bufferSize);
        (Right, Socket right) = Connect(bufferSize);
        _left = new IOStream(left, options);
        _right = new IOStream(right, options);
    }

    /// <summary>The ends, for the two streams that the relay is between.</summary>
    public Socket Left { get; }

    public Socket Right { get; }

    /// <summary>What has been forwarded from the left.</summary>
    public List<byte> FromLeft { get; } = [];

    /// <summary>What has been forwarded from the right.</summary>
    public List<byte> FromRight { get; } = [];

    /// <summary>
    /// Computes from the bytes so far how many from the left are forwarded before both connections are cut; null while that is not known.
    /// </summary>
    public Func<byte[], int?>? CutFromLeft { get; set; }

    /// <summary>
    /// Computes from the bytes so far how many from the right are forwarded before both connections are cut; null while that is not known.
    /// </summary>
    public Func<byte[], int?>? CutFromRight { get; set; }

    /// <summary>The cut is a reset, not EOF.</summary>
    public bool CutsByReset { get; set; }

    public Relay Start()
    {
        _ = PassAsync(_left, _right, FromLeft, () => CutFromLeft);
        _ = PassAsync(_right, _left, FromRight, () => CutFromRight);
        return this;
    }

    /// <summary>Cuts both connections, so that EOF of one side is not taken for EOF of the other.</summary>
    private static (Socket, Socket) Connect(int? bufferSize) => bufferSize is { } size ? SocketPair.TcpWithBuffers(size) : SocketPair.Tcp();

    private void Cut()
    {
        if (_isCut) return;
        _isCut = true;
        foreach (IOStream stream in (IOStream[])[_left, _right])
        {
            if (stream.IsClosed) continue;
            if (CutsByReset) stream.Socket.LingerState = new LingerOption(true, 0);
            // Unread data would turn EOF into a reset.
            if (CutsByReset) stream.Close();
            else _ = stream.CloseAsync();
        }
    }

    private async Task PassAsync(IOStream from, IOStream to, List<byte> passed, Func<Func<byte[], int?>?> cut)
    {
        byte[] buffer = new byte[256 * 1024];
        try
        {
            while (Passable(0) > 0)
            {
                int count = await from.ReadIntoAsync(buffer, partial: true);
                if (_relaying == Relaying.InLumps) count += await GatherAsync(from, buffer.AsMemory(count));
                await SendAsync(to, buffer.AsMemory(0, Math.Min(count, Passable(count))), passed);
            }

            await to.FlushAsync();
            Cut();
        }
        catch (StreamClosedException error) when (error.Reason == CloseReason.EndOfStream)
        {
            await ((Task)to.CompleteWritesAsync().AsTask()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
        catch (StreamClosedException)
        {
            if (_isCut) return;
            CutsByReset = true;
            Cut();
        }

        int Passable(int received) =>
            (cut()?.Invoke([.. passed, .. buffer.AsSpan(0, received)]) ?? int.MaxValue) - passed.Count;
    }

    private async Task SendAsync(IOStream to, ReadOnlyMemory<byte> data, List<byte> passed)
    {
        while (_relaying == Relaying.Bytewise && passed.Count < BytewiseUpTo && !data.IsEmpty)
        {
            await to.WriteAsync(data.Span[..1]);
            await to.FlushAsync();
            passed.Add(data.Span[0]);
            data = data[1..];
            await TurnsAsync(2);
        }

        if (passed.Count < 100_000) passed.AddRange(data.Span);
        await to.WriteAsync(data);
    }

    private static async Task<int> GatherAsync(IOStream from, Memory<byte> buffer)
    {
        await TurnsAsync(5);
        if (from.IsClosed) return 0;
        int available = Math.Min(buffer.Length, from.Socket.Available);
        return available == 0 ? 0 : await from.ReadIntoAsync(buffer[..available], partial: true);
    }

    private static async Task TurnsAsync(int count)
    {
        for (int i = 0; i < count; i++)
        {
            TaskCompletionSource next = new();
            IOLoop.Current.AddCallback(next.SetResult);
            await next.Task;
        }
    }
}
