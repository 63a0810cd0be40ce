using Waterspout.Connecting;
using Waterspout.Diagnostics;
using Waterspout.Errors;
using Waterspout.Interop;
using Waterspout.Loop;

namespace Waterspout;

// A header in front of everything, TLS included. It is read by a plain stream, which TLS then takes over with what has arrived after it.
public partial class TcpServer
{
    private readonly MessageParser<ProxyHeader>? _proxyHeader;

    /// <summary>The stream of a connection from a proxy, ready for the handler; null if it has been closed instead.</summary>
    private async Task<IOStream?> MakeStreamBehindProxyAsync(Connection connection, Descriptor fd, IOLoop loop, ProxyProtocolOptions proxy)
    {
        IOStream stream = FileDescriptors.HandOver(fd, fd =>
        {
            SocketSettings.Configure(fd, _streamOptions.ConfigureSocket);
            return IOStream.FromAccepted(fd, _tls is null ? _streamOptions : _tlsOptions, loop);
        });
        connection.Stream = stream;
        if (!await TryReadHeaderAsync(stream, proxy)) return null;
        Log.Accepted(loop.Logger, stream);
        if (_tls is null) return stream;
        try
        {
            return connection.Stream = await stream.UpgradeAsync(null, _tls, CancellationToken.None);
        }
        catch (StreamClosedException)
        {
            return null; // logged where it happened
        }
    }

    private async Task<bool> TryReadHeaderAsync(IOStream stream, ProxyProtocolOptions proxy)
    {
        if (!proxy.IsTrusted(stream.RemoteEndPoint))
        {
            stream.CloseForProxy(CloseReason.Error, new ProxyHeaderException("The address is not that of a trusted proxy."));
            return false;
        }

        using IDisposable? limit = TimeLimit.Start(stream.Loop, proxy.HeaderTimeout, () => stream.CloseForProxy(
            CloseReason.Timeout, new ProxyHeaderException($"The PROXY header took longer than {proxy.HeaderTimeout}.")));
        try
        {
            stream.SetProxyHeader(await stream.ReadMessageAsync(_proxyHeader!));
            return true;
        }
        catch (ProxyHeaderException error)
        {
            stream.CloseForProxy(CloseReason.Error, error);
        }
        catch (TimeoutException)
        {
            stream.CloseForProxy(CloseReason.Timeout, new ProxyHeaderException("The PROXY header took longer than the read timeout."));
        }
        catch (StreamClosedException error) when (error.InnerException is EndOfStreamException)
        {
            stream.CloseForProxy(error.Reason, new ProxyHeaderException("The connection ended within the PROXY header."));
        }
        catch (StreamClosedException)
        {
            stream.Close(); // half-open at its end: a proxy that has only looked whether the port is open
        }

        return false;
    }
}
