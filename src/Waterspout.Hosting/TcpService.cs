using System.Net;
using Microsoft.Extensions.Hosting;

namespace Waterspout.Hosting;

/// <summary>A server that runs as long as the host does. Services of this class have the server's name as their key.</summary>
/// <remarks>All members may be called from any thread.</remarks>
public sealed class TcpService : IHostedService, IDisposable
{
    private readonly TcpServiceOptions _options;
    private readonly TcpServer _server;
    private volatile EndPoint[] _endPoints = [];

    internal TcpService(string name, TcpServiceOptions options, Func<IOStream, CancellationToken, Task> handle)
    {
        Name = name;
        _options = options;
        _server = new TcpServer(handle, options.Server);
    }

    /// <summary>The name that the server was registered with.</summary>
    public string Name { get; }

    /// <summary>The addresses and ports listened on; none before the start. For a name it is the first one.</summary>
    public IReadOnlyList<EndPoint> EndPoints => _endPoints;

    /// <summary>The number of connections that are open.</summary>
    public int ConnectionCount => _server.ConnectionCount;

    internal bool IsListening => _endPoints.Length > 0 && !_server.Stopping.IsCancellationRequested;

    internal IEnumerable<IOLoop> Loops => _server.Options.Loops!;

    /// <summary>Listens on all addresses. Called by the host.</summary>
    /// <param name="cancellationToken">Cancelling ends the wait for the addresses of a name.</param>
    /// <exception cref="InvalidOperationException">There is no address, or one is malformed.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">Listening failed. The message contains the address.</exception>
    /// <exception cref="OperationCanceledException">The start was cancelled.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_options.Listen.Count == 0)
        {
            throw new InvalidOperationException(
                $"The server '{Name}' has no address: set {Settings.SectionOf(Name)}:Listen, or {nameof(TcpServiceOptions.Listen)} in its options.");
        }

        List<EndPoint> endPoints = [];
        foreach (string address in _options.Listen) endPoints.AddRange(await ListenAddress.ListenAsync(_server, address, cancellationToken).ConfigureAwait(false));
        _endPoints = [.. endPoints];
    }

    /// <summary>
    /// Stops accepting, notifies the handlers, lets them end, and closes what is left when <see cref="TcpServiceOptions.Drain"/> is over.
    /// Called by the host.
    /// </summary>
    /// <param name="cancellationToken">
    /// Cancelled when the host's time for the stop is over: remaining connections are closed at once.
    /// </param>
    /// <returns>A task that completes at the latest half a second after the drain.</returns>
    public Task StopAsync(CancellationToken cancellationToken) => _server.StopAsync(_options.Drain ?? Timeout.InfiniteTimeSpan, cancellationToken);

    /// <summary>Stops at once, without waiting. Called by the container, so a host that did not start does not keep its ports.</summary>
    public void Dispose() => _ = _server.StopAsync(TimeSpan.Zero);
}
