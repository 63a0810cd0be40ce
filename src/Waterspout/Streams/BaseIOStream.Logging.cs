using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using Waterspout.Diagnostics;

namespace Waterspout;

// A close has one line. How loud it is depends on whose doing it is: what an error of the program's own has done is a warning; what a peer can do
// to anybody is information, and so little of it that a flood of bad peers is none of lines; what somebody has been given already is for debugging.
public abstract partial class BaseIOStream
{
    /// <summary>The stream has closed: counts it, and says so.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="error">Null after a regular end.</param>
    /// <param name="isKnown">The error came from the user's code, or is in the log already. A limit that a peer has passed may only have come through that.</param>
    private protected virtual void NoteClose(CloseReason reason, Exception? error, bool isKnown)
    {
        Loop.Counters.Closes[(int)reason]++;
        if (error is null) Log.Closed(Loop.Logger, this, reason);
        else if (isKnown && error is not UnsatisfiableReadException) Log.ConnectionLost(Loop.Logger, error, this, reason);
        else if (IsPeersDoing(reason, error)) Loop.PeerErrors.Report(this, reason, error);
        else if (IsOrdinary(reason)) Log.ConnectionLost(Loop.Logger, error, this, reason);
        else Log.ClosedByError(Loop.Logger, error, this, reason);
    }

    /// <summary>Something that a peer should not do, or the network: a limit that is passed, a message that is none.</summary>
    private protected virtual bool IsPeersDoing(CloseReason reason, Exception error) => !IsOrdinary(reason) && error switch
    {
        UnsatisfiableReadException or StreamBufferFullException or AuthenticationException => true,
        SocketException socket => socket.SocketErrorCode is SocketError.HostUnreachable or SocketError.HostDown or SocketError.NetworkUnreachable or SocketError.NetworkDown,
        _ => false,
    };

    /// <summary>What is dropped when the stream closes with this.</summary>
    private protected virtual long Lost => Unsent;

    /// <summary>Says how much of what was written is dropped: as quietly as the close, where the peer has cut the connection or there never was one.</summary>
    private protected virtual void LogUnsent(long bytes, Exception? error, bool isCutByPeer) =>
        Log.Unsent(Loop.Logger, isCutByPeer ? LogLevel.Debug : LogLevel.Warning, error, this, bytes);

    // Connections are lost, and whoever connects is given the error.
    private bool IsOrdinary(CloseReason reason) => reason is CloseReason.Reset or CloseReason.Local or CloseReason.Timeout || IsConnecting;
}
