using System.Net.Security;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;

namespace Waterspout.Diagnostics;

/// <summary>Every message that the library logs.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Error, "A callback on loop '{Loop}' failed.")]
    internal static partial void CallbackFailed(ILogger logger, Exception error, string loop);

    [LoggerMessage(EventId = 2,
        Message = "A callback held loop '{Loop}' for {Milliseconds:F0} ms (threshold {Threshold:F0} ms): {Callback}.")]
    internal static partial void Stalled(
        ILogger logger, LogLevel level, string loop, double milliseconds, double threshold, string callback);

    [LoggerMessage(16, LogLevel.Warning, "A callback has held loop '{Loop}' for {Milliseconds:F0} ms, and still does: {Callback}.")]
    internal static partial void Blocked(ILogger logger, string loop, double milliseconds, string callback);

    [LoggerMessage(3, LogLevel.Error, "A callback of {Stream} failed. The stream is closed.")]
    internal static partial void StreamCallbackFailed(ILogger logger, Exception error, object stream);

    [LoggerMessage(4, LogLevel.Debug, "{Stream} closed: {Reason}.")]
    internal static partial void Closed(ILogger logger, object stream, CloseReason reason);

    [LoggerMessage(5, LogLevel.Debug, "{Stream} closed: {Reason}.")]
    internal static partial void ConnectionLost(ILogger logger, Exception error, object stream, CloseReason reason);

    [LoggerMessage(6, LogLevel.Warning, "{Stream} closed: {Reason}.")]
    internal static partial void ClosedByError(ILogger logger, Exception error, object stream, CloseReason reason);

    [LoggerMessage(18, LogLevel.Information, "{Stream} closed: {Reason}. {Message}")]
    internal static partial void PeerFailed(ILogger logger, object stream, CloseReason reason, string message);

    [LoggerMessage(19, LogLevel.Information, "Loop '{Loop}': {Count} more peer errors within a second were not logged.")]
    internal static partial void PeerErrorsLeftOut(ILogger logger, string loop, int count);

    [LoggerMessage(20, LogLevel.Debug, "{Stream} accepted.")]
    internal static partial void Accepted(ILogger logger, object stream);

    [LoggerMessage(7, LogLevel.Warning, "{Stream} was dropped without being closed. Its descriptor is closed by the finalizer.")]
    internal static partial void Dropped(ILogger logger, object stream);

    [LoggerMessage(8, LogLevel.Debug, "{Stream} connected.")]
    internal static partial void Connected(ILogger logger, object stream);

    [LoggerMessage(9, LogLevel.Error, "The handler of {Stream} failed. The stream is closed.")]
    internal static partial void HandlerFailed(ILogger logger, Exception error, object? stream);

    [LoggerMessage(10, LogLevel.Warning, "Accepting on {EndPoint} failed: {Reason}. Retrying in {Milliseconds} ms.")]
    internal static partial void AcceptPaused(ILogger logger, object endPoint, string reason, int milliseconds);

    [LoggerMessage(11, LogLevel.Information, "Listening on {EndPoint}.")]
    internal static partial void Listening(ILogger logger, object endPoint);

    [LoggerMessage(13, LogLevel.Information, "The handler of {Stream} ended: {Reason} The stream is closed.")]
    internal static partial void HandlerEnded(ILogger logger, object? stream, string reason);

    [LoggerMessage(EventId = 17, Message = "{Stream}: {Bytes} bytes were written and not sent.")]
    internal static partial void Unsent(ILogger logger, LogLevel level, Exception? error, object stream, long bytes);

    [LoggerMessage(12, LogLevel.Debug, "{Stream}: handshake done, {Protocol} with {CipherSuite}.")]
    internal static partial void HandshakeDone(ILogger logger, object stream, SslProtocols protocol, TlsCipherSuite cipherSuite);

    [LoggerMessage(14, LogLevel.Warning,
        "The server has stopped, but {Count} handlers still run: they did not end when their streams were closed.")]
    internal static partial void HandlersLeft(ILogger logger, int count);

    [LoggerMessage(15, LogLevel.Error, "A callback registered with the server's Stopping token failed.")]
    internal static partial void StoppingFailed(ILogger logger, Exception error);

    [LoggerMessage(30, LogLevel.Debug, "The connection from {Peer} was refused.")]
    internal static partial void Refused(ILogger logger, object? peer);

    [LoggerMessage(31, LogLevel.Error, "{Hook} of the server failed for the connection from {Peer}.")]
    internal static partial void HookFailed(ILogger logger, Exception error, string hook, object? peer);
}
