using System.Net;
using System.Net.Sockets;

namespace Waterspout.Tests;

/// <summary>Calls from other threads while a loop is disposed are always answered.</summary>
[OnEachPoller]
public sealed class LoopEndRaceTests : LoopTest
{
    private const int Rounds = 50;

    private static readonly byte[] s_much = new byte[1 << 20]; // more than a socket holds

    public static TheoryData<string> Calls =>
        ["read", "write", "flush", "close", "dispose", "end", "closed", "callback", "connect", "handshake", "server", "invoke", "run", "timer"];

    [Theory]
    [MemberData(nameof(Calls))]
    public void A_call_during_the_end_of_the_loop_is_answered(string call) => Check(() =>
    {
        Log.Allow("bytes were written and not sent");
        for (int i = 0; i < Rounds; i++) Race(call, i);
    });

    private void Race(string call, int round)
    {
        using IOLoop loop = new(new IOLoopOptions { Poller = Poller, LoggerFactory = Log, StallThreshold = Timeout.InfiniteTimeSpan });
        using RunningLoop running = new(loop);
        (IOStream near, IOStream far) = IOStream.CreatePair(loop: loop);
        using Barrier both = new(2);
        Task<Exception?> caller = Task.Factory.StartNew(
            () =>
            {
                both.SignalAndWait();
                return Record.ExceptionAsync(() => Call(call, loop, near)).AsTask();
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default).Unwrap();
        both.SignalAndWait();
        Thread.SpinWait(round * 40);
        loop.Dispose();
        Assert.True(caller.Wait(Limit), $"{call} was not answered.");
        Exception? error = caller.Result;
        Assert.True(error is null or ObjectDisposedException or StreamClosedException || (call == "run" && error is InvalidOperationException), $"{error}");
        Assert.True(near.IsClosed && far.IsClosed);
    }

    private static async Task Call(string call, IOLoop loop, IOStream stream)
    {
        switch (call)
        {
            case "read":
                await stream.ReadBytesAsync(1);
                break;
            case "write":
                await stream.WriteAsync(s_much);
                break;
            case "flush":
                await stream.WriteAsync("x"u8);
                await stream.FlushAsync();
                break;
            case "close":
                await stream.CloseAsync(Timeout.InfiniteTimeSpan);
                break;
            case "dispose":
                await stream.DisposeAsync();
                break;
            case "end":
                await stream.CompleteWritesAsync();
                break;
            case "closed":
                TaskCompletionSource closed = new();
                stream.Closed.Register(closed.SetResult);
                await closed.Task;
                break;
            case "callback":
                TaskCompletionSource called = new();
                stream.SetCloseCallback(called.SetResult);
                await called.Task;
                break;
            case "connect":
                using (Socket silent = Listen())
                await using (IOStream client = new(NewSocket(), null, loop))
                    await client.ConnectAsync(silent.LocalEndPoint!);
                break;
            case "handshake":
                using (Socket silent = Listen())
                await using (SslIOStream client = new(NewSocket(), loop: loop))
                    await client.ConnectAsync(silent.LocalEndPoint!, "nobody");
                break;
            case "server":
                await StopServer(loop);
                break;
            case "invoke":
                await loop.InvokeAsync(() => new TaskCompletionSource().Task);
                break;
            case "run":
                loop.RunSync(() => new TaskCompletionSource().Task);
                break;
            case "timer":
                loop.CallLater(TimeSpan.Zero, () => { }).Dispose();
                break;
        }
    }

    private static async Task StopServer(IOLoop loop)
    {
        TcpServer? server = null;
        await loop.InvokeAsync(() =>
        {
            server = new TcpServer(stream => stream.ReadUntilCloseAsync().AsTask());
            server.Listen(0, "127.0.0.1");
            return Task.CompletedTask;
        });
        await server!.DisposeAsync();
    }

    private static Socket Listen()
    {
        Socket socket = NewSocket();
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        return socket;
    }

    private static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
}
