using System.Net;
using System.Text;
using Waterspout.Tests.Tls;

namespace Waterspout.Tests;

/// <summary>Accepted connections that have not reached their handlers: on their way to another loop, or in the TLS handshake.</summary>
[OnEachPoller]
public sealed class HandOverTests : LoopTest
{
    [Fact]
    public void A_connection_on_its_way_counts() => Run(async () =>
    {
        using HeldLoop held = new(Poller);
        await using TcpServer server = new(EchoAsync, new TcpServerOptions { Loops = held.Group, MaxConnections = 2 });
        EndPoint address = server.Listen(0, "127.0.0.1");
        await using IOStream first = await ConnectAsync(address);
        await CheckEchoAsync(first);
        await using IOStream onItsWay = await ConnectAsync(address);
        while (server.ConnectionCount < 2) await Turn();
        await using IOStream third = await ConnectAsync(address);
        ValueTask echo = CheckEchoAsync(third);
        await CheckEchoAsync(first);
        Assert.False(echo.IsCompleted);
        Assert.Equal(2, server.ConnectionCount);
        held.Release();
        await CheckEchoAsync(onItsWay);
        await onItsWay.CloseAsync();
        await echo;
    });

    [Fact]
    public void Stopping_waits_for_a_connection_on_its_way() => Run(async () =>
    {
        using HeldLoop held = new(Poller);
        bool isHandled = false;
        await using TcpServer server = new(async stream =>
        {
            await stream.WriteAsync("served"u8);
            isHandled = stream.Loop != held.Group[0];
        }, new TcpServerOptions { Loops = held.Group });
        EndPoint address = server.Listen(0, "127.0.0.1");
        await using IOStream first = await ConnectAsync(address);
        Assert.Equal("served", Encoding.ASCII.GetString(await first.ReadUntilCloseAsync()));
        await first.CloseAsync();
        while (server.ConnectionCount > 0) await Turn();
        await using IOStream onItsWay = await ConnectAsync(address);
        while (server.ConnectionCount == 0) await Turn();
        Task stop = server.StopAsync(Limit);
        await Turns(3);
        Assert.False(stop.IsCompleted);
        held.Release();
        Assert.Equal("served", Encoding.ASCII.GetString(await onItsWay.ReadUntilCloseAsync()));
        await onItsWay.CloseAsync();
        await stop;
        Assert.True(isHandled);
    });

    [Fact]
    public void A_connection_on_its_way_is_closed_when_what_is_left_is_closed() => Run(async () =>
    {
        using HeldLoop held = new(Poller);
        int handled = 0;
        await using TcpServer server = new(stream =>
        {
            Interlocked.Increment(ref handled);
            return EchoAsync(stream);
        }, new TcpServerOptions { Loops = held.Group });
        EndPoint address = server.Listen(0, "127.0.0.1");
        await using IOStream first = await ConnectAsync(address);
        await CheckEchoAsync(first);
        await using IOStream onItsWay = await ConnectAsync(address);
        while (server.ConnectionCount < 2) await Turn();
        // Its loop is blocked all the while.
        await server.StopAsync(TimeSpan.Zero);
        Assert.Empty(await onItsWay.ReadUntilCloseAsync());
        Assert.Equal(0, server.ConnectionCount);
        held.Release();
        await held.Group[1].InvokeAsync(() => Task.CompletedTask);
        Assert.Equal(1, handled);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_connection_for_a_disposed_loop_is_closed_and_frees_its_place(bool isOnItsWay) => Run(async () =>
    {
        using HeldLoop held = new(Poller);
        if (!isOnItsWay) held.ReleaseAndDispose();
        await using TcpServer server = new(EchoAsync, new TcpServerOptions { Loops = held.Group, MaxConnections = 2 });
        EndPoint address = server.Listen(0, "127.0.0.1");
        await using IOStream first = await ConnectAsync(address);
        await CheckEchoAsync(first);
        await using IOStream lost = await ConnectAsync(address);
        if (isOnItsWay)
        {
            while (server.ConnectionCount < 2) await Turn();
            // The connection waits in the loop's queue when that is disposed.
            held.ReleaseAndDispose();
        }

        Assert.Empty(await lost.ReadUntilCloseAsync());
        while (server.ConnectionCount > 1) await Turn();
        await using IOStream third = await ConnectAsync(address);
        await CheckEchoAsync(third);
    });

    [Fact]
    public void A_disposed_loop_ends_the_servers_handlers_on_it() => Run(async () =>
    {
        using IOLoopGroup group = new(2, new IOLoopOptions { Poller = Poller });
        await using TcpServer server = new(EchoAsync, new TcpServerOptions { Loops = group });
        EndPoint address = server.Listen(0, "127.0.0.1");
        await using IOStream first = await ConnectAsync(address), second = await ConnectAsync(address);
        await CheckEchoAsync(first);
        await CheckEchoAsync(second);
        group[1].Dispose();
        Assert.Empty(await second.ReadUntilCloseAsync());
        while (server.ConnectionCount > 1) await Turn();
        await server.StopAsync(TimeSpan.Zero);
    });

    [Fact]
    public void Stopping_waits_for_a_handshake() => Run(async () =>
    {
        await using TcpServer server = new(EchoAsync, new TcpServerOptions { Ssl = TestCertificates.ServerOptions() });
        IOStream plain = await ConnectAsync(server.Listen(0, "127.0.0.1"));
        while (server.ConnectionCount == 0) await Turn();
        Task stop = server.StopAsync(Limit);
        await Turns(3);
        Assert.False(stop.IsCompleted);
        await using SslIOStream client = await plain.StartTlsAsync(TestCertificates.ClientOptions());
        await CheckEchoAsync(client);
        await client.CloseAsync();
        await stop;
    });

    [Fact]
    public void A_handshake_is_closed_when_what_is_left_is_closed() => Run(async () =>
    {
        await using TcpServer server = new(EchoAsync, new TcpServerOptions { Ssl = TestCertificates.ServerOptions() });
        await using IOStream silent = await ConnectAsync(server.Listen(0, "127.0.0.1"));
        while (server.ConnectionCount == 0) await Turn();
        await server.StopAsync(TimeSpan.Zero);
        Assert.Empty(await silent.ReadUntilCloseAsync());
        Assert.Equal(0, server.ConnectionCount);
    });

    private static async Task EchoAsync(IOStream stream)
    {
        while (true) await stream.WriteAsync(await stream.ReadUntilAsync("\n"u8));
    }

    private static async ValueTask CheckEchoAsync(IOStream client)
    {
        await client.WriteAsync("hello\n"u8);
        Assert.Equal("hello\n", Encoding.ASCII.GetString(await client.ReadUntilAsync("\n"u8)));
    }

    private static ValueTask<IOStream> ConnectAsync(EndPoint address) => IOStream.ConnectAsync("127.0.0.1", ((IPEndPoint)address).Port);

    /// <summary>Two loops, of which the second, whose turn comes with the second connection, is blocked.</summary>
    private sealed class HeldLoop : IDisposable
    {
        private readonly ManualResetEventSlim _released = new();

        internal HeldLoop(PollerKind poller)
        {
            Group = new IOLoopGroup(2, new IOLoopOptions { Poller = poller, StallThreshold = Timeout.InfiniteTimeSpan });
            using ManualResetEventSlim held = new();
            Group[1].AddCallback(() =>
            {
                held.Set();
                _released.Wait();
            });
            held.Wait();
        }

        internal IOLoopGroup Group { get; }

        public void Dispose()
        {
            _released.Set();
            Group.Dispose();
            _released.Dispose();
        }

        internal void Release() => _released.Set();

        internal void ReleaseAndDispose()
        {
            IOLoop loop = Group[1];
            // Its disposal is requested before it resumes, so that what is in its queue is still there when it ends.
            Thread disposing = new(loop.Dispose);
            disposing.Start();
            while (disposing.ThreadState != ThreadState.WaitSleepJoin) Thread.Yield();
            _released.Set();
            disposing.Join();
        }
    }
}
