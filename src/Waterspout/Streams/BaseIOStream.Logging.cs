using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using Waterspout.Diagnostics;
using Waterspout.Errors;

namespace Waterspout;

// A close has one line. Its level depends on the cause: the program's own errors are warnings; what any peer can cause is information, and
// rate-limited, so that a flood of bad peers is not a flood of lines; what the program has already received is at Debug.
public abstract partial class BaseIOStream
{
    /// <summary>The stream has closed: counts and logs it.</summary>
    /// <param name="reason">The reason.</param>
    /// <param name="error">Null after a close without an error.</param>
    /// <param name="isKnown">
    /// The error came from the user's code, or is already in the log. An exceeded limit may have come through user code too.
    /// </param>
    private void NoteClose(CloseReason reason, Exception? error, bool isKnown)
    {
        Loop.Counters.Closes[(int)reason]++;
        if (error is null) Log.Closed(Loop.Logger, this, reason);
        else if (isKnown && error is not UnsatisfiableReadException) Log.ConnectionLost(Loop.Logger, error, this, reason);
        else if (IsCausedByPeer(reason, error)) Loop.PeerErrors.Report(this, reason, error);
        else if (IsOrdinary(reason)) Log.ConnectionLost(Loop.Logger, error, this, reason);
        else Log.ClosedByError(Loop.Logger, error, this, reason);
    }

    /// <summary>
    /// Whether the error that closes the stream is caused by the peer or the network, not by the program. The log then has it as
    /// information, with a limit on the rate, instead of as a warning.
    /// </summary>
    /// <param name="reason">Why the stream closes.</param>
    /// <param name="error">The error.</param>
    /// <remarks>
    /// The default is true for an exceeded limit, an invalid message, an unreachable peer. Lost connections are at a lower level anyway.
    /// </remarks>
    protected virtual bool IsCausedByPeer(CloseReason reason, Exception error) =>
        error is ProxyHeaderException || (!IsOrdinary(reason) && error switch
        {
            UnsatisfiableReadException or StreamBufferFullException or AuthenticationException => true,
            SocketException socket => socket.SocketErrorCode is
                SocketError.HostUnreachable or SocketError.HostDown or SocketError.NetworkUnreachable or SocketError.NetworkDown,
            _ => false,
        });

    /// <summary>
    /// Logs how much written data is dropped: at Debug if the peer has cut the connection or not read in time, or there never was one.
    /// Peers can cause as many of these as they like.
    /// </summary>
    private void LogUnsent(long bytes, Exception? error, bool isLostByPeer) =>
        Log.Unsent(Loop.Logger, isLostByPeer ? LogLevel.Debug : LogLevel.Warning, error, this, bytes);

    // Connections get lost, and a failed connect returns its error to the caller.
    private bool IsOrdinary(CloseReason reason) => reason is CloseReason.Reset or CloseReason.Local or CloseReason.Timeout || IsConnecting;
}
