using System.Net.Sockets;
using Waterspout.Interop;

namespace Waterspout.Errors;

/// <summary>The close reason that an error of a descriptor stands for.</summary>
internal static class ErrorReasons
{
    internal static CloseReason Of(Exception error) => IsConnectionLoss(error) ? CloseReason.Reset : CloseReason.Error;

    internal static bool IsConnectionLoss(Exception error) => error switch
    {
        StreamClosedException closed => closed.Reason == CloseReason.Reset, // of a stream that another one is made of
        SocketException socket => socket.SocketErrorCode is
            SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted or SocketError.TimedOut,
        IOException { InnerException: SocketException inner } => IsConnectionLoss(inner), // of a network stream
        IOException io => PosixResult.IsNoReader(io),
        _ => false,
    };
}
