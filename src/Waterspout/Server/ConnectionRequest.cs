using System.Net;

namespace Waterspout;

/// <summary>
/// A connection that a <see cref="TcpServer"/> has accepted and not begun to serve: see <see cref="TcpServerOptions.OnConnection"/>.
/// </summary>
/// <param name="RemoteEndPoint">The address of the peer; empty for a peer on a Unix socket that has not bound its side.</param>
/// <param name="LocalEndPoint">The address that the peer has connected to.</param>
/// <param name="ConnectionCount">
/// The number of the server's other connections that are open: <see cref="TcpServer.ConnectionCount"/>.
/// </param>
public sealed record ConnectionRequest(EndPoint? RemoteEndPoint, EndPoint? LocalEndPoint, int ConnectionCount);
