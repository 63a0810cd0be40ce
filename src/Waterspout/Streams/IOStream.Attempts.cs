using System.Diagnostics;
using System.Net;
using Waterspout.Connecting;
using Waterspout.Diagnostics;
using Waterspout.Interop;

namespace Waterspout;

// Connecting the socket: the addresses of a name are tried one after the other.
public partial class IOStream
{
    private TaskCompletionSource<PosixResult>? _attempt;

    private protected override void HandleConnect()
    {
        if (_attempt is null) return;
        // Do not query the error first: if a peer has already answered and reset, the socket has been connected, what the peer sent is
        // here, and the error comes after it.
        PosixResult received = Sockets.IsConnected(_fd) ? default : Sockets.Peek(_fd);
        // An event of the previous attempt has no error, and no connection either.
        if (received.WouldBlock || received.IsNotConnected) LookAgain();
        // Its awaiter resumes here, and has set the stream to connected when this returns.
        else _attempt.TrySetResult(received);
    }

    /// <summary>The addresses of the name. A close of the stream ends the wait for them, since a resolver cannot be stopped.</summary>
    private async Task<IReadOnlyList<EndPoint>> ResolveAsync(DnsEndPoint name, CancellationToken cancellationToken)
    {
        using CancellationTokenSource closed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<IReadOnlyList<EndPoint>> resolving = EndPointResolver.ResolveAsync(name, _fd, Loop, closed.Token);
        _attempt = new TaskCompletionSource<PosixResult>();
        Task first = await Task.WhenAny(resolving, _attempt.Task);
        if (first != resolving) closed.Cancel();
        Task<PosixResult> attempt = _attempt.Task;
        _attempt = null;
        // Fails with the stream's close error.
        if (attempt.IsCompleted) await attempt;
        return await resolving;
    }

    private async Task TryEachAsync(IReadOnlyList<EndPoint> addresses, bool isOneOfMany)
    {
        for (int i = 0; ; i++)
        {
            PosixResult result = await TraceOnceAsync(addresses[i], isOneOfMany, isFirst: i == 0);
            if (result.IsSuccess) break;
            // How the kernel treats an address of another family depends on its length.
            if (result.IsInvalid && !EndPointResolver.IsOfFamily(addresses[i], _fd)) result = PosixResult.WrongFamily;
            if (i == addresses.Count - 1) throw AddressError.Of(PosixResult.ToSocketException(result.Error), addresses[i]);
        }

        _phase = SocketPhase.Connected;
        if (!HasHandshake) CompleteConnecting();
    }

    /// <summary>An address of a name has an activity of its own.</summary>
    private async Task<PosixResult> TraceOnceAsync(EndPoint address, bool isOneOfMany, bool isFirst)
    {
        using Activity? activity = isOneOfMany ? Tracing.Connect(address) : null;
        PosixResult result = await TryOnceAsync(address, isFirst);
        if (!result.IsSuccess) activity?.Fail(PosixResult.ToSocketException(result.Error));
        return result;
    }

    private async Task<PosixResult> TryOnceAsync(EndPoint address, bool isFirst)
    {
        for (bool isRetry = false; ; isRetry = true)
        {
            if (IsClosed) throw ClosedException();
            // The mode is shared with every duplicate of the descriptor, and a connect has no flag for it.
            FileDescriptors.SetNonBlocking(_fd);
            PosixResult result = Sockets.Connect(_fd, address.Serialize());
            if (result.IsSuccess || result.IsInProgress)
            {
                // Only now: an unconnected socket reports a hang-up.
                EnsureRegistered();
                if (IsClosed) throw ClosedException();
                if (!isFirst) LookAgain();
                if (result.IsSuccess) return result;
                _attempt = new TaskCompletionSource<PosixResult>();
                result = await _attempt.Task;
                _attempt = null;
                return result;
            }

            // Left over from the previous attempt, whose error has been consumed: the kernel reports it once, without trying to connect.
            if (result.IsAborted && !isRetry) continue;
            // A Unix socket with a full backlog. There is no event for that, and it is over soon.
            if (!result.WouldBlock) return result;
            TaskCompletionSource pause = new();
            using (Loop.CallLater(TimeSpan.FromMilliseconds(5), pause.SetResult)) await pause.Task;
        }
    }
}
