using System.Net.Sockets;

namespace Waterspout.Tests;

/// <summary>Who is on the other side of a Unix socket.</summary>
[OnEachPoller]
public sealed class PeerCredentialsTests : LoopTest
{
    [Fact]
    public void Both_sides_know_the_process_and_its_user() => Run(async () =>
    {
        TaskCompletionSource<PeerCredentials> seen = new();
        await using TcpServer server = new(async stream =>
        {
            seen.SetResult(stream.GetPeerCredentials());
            await stream.ReadUntilCloseAsync();
        });
        string path = $"\0{Guid.NewGuid()}";
        server.Listen(new UnixDomainSocketEndPoint(path));
        using UnixIOStream client = await UnixIOStream.ConnectAsync(path);
        PeerCredentials peer = await seen.Task.WaitAsync(Limit);
        Assert.Equal(Environment.ProcessId, peer.ProcessId);
        string status = File.ReadAllText("/proc/self/status");
        Assert.Contains($"Uid:\t{peer.UserId}\t", status, StringComparison.Ordinal);
        Assert.Contains($"Gid:\t{peer.GroupId}\t", status, StringComparison.Ordinal);
        Assert.Equal(peer, client.GetPeerCredentials());
        Assert.Equal(peer, await Task.Run(client.GetPeerCredentials));
        client.Close();
        Assert.Throws<ObjectDisposedException>(() => client.GetPeerCredentials());
    });

    [Fact]
    public void Only_a_connected_unix_socket_knows_them() => Run(() =>
    {
        using IOStream tcp = new(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        Assert.Throws<NotSupportedException>(() => tcp.GetPeerCredentials());
        using IOStream unix = new(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
        Assert.Throws<InvalidOperationException>(() => unix.GetPeerCredentials());
        return Task.CompletedTask;
    });
}
