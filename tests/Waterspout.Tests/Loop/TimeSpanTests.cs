using System.Net.Sockets;
using Waterspout.Testing;

namespace Waterspout.Tests;

/// <summary>
/// Wherever a time is accepted: infinite and the longest mean no limit, zero and less are as documented, and the call itself refuses.
/// </summary>
[OnEachPoller]
public sealed class TimeSpanTests : LoopTest
{
    private static readonly TimeSpan s_negative = TimeSpan.FromMilliseconds(-2);

    public static TheoryData<TimeSpan> Unlimited => [Timeout.InfiniteTimeSpan, TimeSpan.MaxValue, TimeSpan.FromDays(60), TimeSpan.FromDays(30)];

    public static TheoryData<TimeSpan> NotPositive => [TimeSpan.Zero, s_negative, TimeSpan.MinValue];

    [Theory]
    [MemberData(nameof(Unlimited))]
    public void RunSync_takes_any_limit(TimeSpan limit) => Check(() =>
    {
        Assert.Equal(1, Loop.RunSync(OneTurnLater, limit));
        // A loop that another thread runs.
        using IOLoop loop = new(new IOLoopOptions { Poller = Poller });
        using RunningLoop other = new(loop);
        Assert.Equal(1, other.Loop.RunSync(OneTurnLater, limit));
    });

    [Fact]
    public void RunSync_refuses_a_negative_limit_before_it_calls() => Check(() =>
    {
        bool isCalled = false;
        Assert.Throws<ArgumentOutOfRangeException>(() => Loop.RunSync(() => { isCalled = true; return Task.CompletedTask; }, s_negative));
        Assert.Throws<ArgumentOutOfRangeException>(() => Loop.RunSync(() => { isCalled = true; return Task.FromResult(1); }, s_negative));
        Loop.RunSync(Turn);
        Assert.False(isCalled);
    });

    [Fact]
    public void RunSync_without_time_gives_up() => Check(() =>
    {
        Assert.Throws<TimeoutException>(() => Loop.RunSync(() => new TaskCompletionSource().Task, TimeSpan.Zero));
        using IOLoop loop = new(new IOLoopOptions { Poller = Poller });
        using RunningLoop other = new(loop);
        Assert.Throws<TimeoutException>(() => other.Loop.RunSync(() => new TaskCompletionSource().Task, TimeSpan.Zero));
    });

    [Theory]
    [MemberData(nameof(Unlimited))]
    public void Streams_take_any_limit(TimeSpan limit) => Run(async () =>
    {
        ExpectLog("written and not sent");
        IOStreamOptions options = new()
        {
            ReadTimeout = limit,
            WriteTimeout = limit,
            ConnectTimeout = limit,
            ConnectAttemptDelay = limit,
            HandshakeTimeout = limit,
            WriteHighWaterMark = 0,
        };
        using TestListener listener = new();
        using IOStream stream = new(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp), options);
        await stream.ConnectAsync(listener.EndPoint);
        using Socket peer = listener.Accept();
        await using IOStream raced = await IOStream.ConnectAsync("127.0.0.1", listener.EndPoint.Port, options);
        listener.Accept().Dispose();
        Task<byte[]> read = stream.ReadBytesAsync(1).AsTask();
        await Turns(3);
        Assert.False(read.IsCompleted);
        peer.Send("x"u8);
        await read;
        // More than the system accepts at once.
        Task write = stream.WriteAsync(new byte[16 << 20].AsMemory()).AsTask();
        await Turns(3);
        Assert.False(write.IsCompleted);
        Assert.False(stream.IsClosed);
        stream.Close();
        await Assert.ThrowsAsync<StreamClosedException>(() => write);
    });

    [Theory]
    [MemberData(nameof(Unlimited))]
    public void A_close_takes_any_limit(TimeSpan limit) => Run(async () =>
    {
        (IOStream left, IOStream right) = IOStream.CreatePair();
        await left.WriteAsync("x"u8);
        Task close = left.CloseAsync(limit).AsTask();
        await Turns(3);
        Assert.False(close.IsCompleted);
        right.Close();
        await close;
    });

    [Fact]
    public void A_close_refuses_a_negative_limit_and_leaves_the_stream_open() => Run(async () =>
    {
        (IOStream left, IOStream right) = IOStream.CreatePair();
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = left.CloseAsync(s_negative); });
        Assert.False(left.IsClosed);
        await left.CloseAsync(TimeSpan.Zero);
        right.Close();
    });

    [Theory]
    [MemberData(nameof(NotPositive))]
    public void Options_refuse_a_limit_that_is_not_positive(TimeSpan limit) => Run(() =>
    {
        IOStreamOptions[] refused =
        [
            new() { ReadTimeout = limit }, new() { WriteTimeout = limit }, new() { ConnectTimeout = limit }, new() { ConnectAttemptDelay = limit },
            new() { HandshakeTimeout = limit },
        ];
        foreach (IOStreamOptions options in refused)
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => IOStream.CreatePair(options));
            Assert.Throws<ArgumentOutOfRangeException>(() => { _ = IOStream.ConnectAsync("127.0.0.1", 1, options); });
            Assert.Throws<ArgumentOutOfRangeException>(() => new TcpServer(_ => Task.CompletedTask, new TcpServerOptions { Stream = options }));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => new TcpServer(_ => Task.CompletedTask, new TcpServerOptions { HandshakeTimeout = limit }));
        return Task.CompletedTask;
    });

    [Theory]
    [MemberData(nameof(Unlimited))]
    public void Servers_take_any_limit(TimeSpan limit) => Run(async () =>
    {
        await using TcpServer server = new(_ => Task.CompletedTask, new TcpServerOptions { HandshakeTimeout = limit, Ssl = Tls.TestCertificates.ServerOptions() });
        int port = ((System.Net.IPEndPoint)server.Listen(0, "127.0.0.1")).Port;
        await using SslIOStream client = await SslIOStream.ConnectAsync("127.0.0.1", port, Tls.TestCertificates.ClientOptions(null));
        client.Close();
        await server.StopAsync(limit);
    });

    [Theory]
    [MemberData(nameof(Unlimited))]
    public void A_timer_that_is_far_away_does_not_run(TimeSpan time) => Run(async () =>
    {
        using IDisposable once = Loop.CallLater(time, () => Assert.Fail("It is not due.")), often = Loop.CallEvery(time, () => Assert.Fail("It is not due."));
        await Turns(3);
    });

    [Fact]
    public void A_timer_whose_time_has_passed_runs_in_the_next_turn() => Run(async () =>
    {
        foreach (TimeSpan time in (TimeSpan[])[TimeSpan.Zero, s_negative, TimeSpan.MinValue])
        {
            TaskCompletionSource ran = new();
            using IDisposable timer = Loop.CallLater(time, ran.SetResult);
            await ran.Task;
            if (time != TimeSpan.Zero) Assert.Throws<ArgumentOutOfRangeException>(() => Loop.CallEvery(time, () => { }));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => Loop.CallEvery(TimeSpan.Zero, () => { }));
    });

    [Theory]
    [MemberData(nameof(Unlimited))]
    public void A_loop_that_always_polls_still_runs_its_timers(TimeSpan time) => Run(async () =>
    {
        using TestListener listener = new();
        using IOStream stream = await IOStream.ConnectAsync("127.0.0.1", listener.EndPoint.Port);
        using Socket silent = listener.Accept();
        TaskCompletionSource due = new();
        // Something is sent, so the loop polls for the answer, which does not come.
        await stream.WriteAsync("x"u8);
        using IDisposable timer = Loop.CallLater(TimeSpan.FromMilliseconds(20), due.SetResult);
        await due.Task;
    }, options => options.BusyPoll = time);

    [Theory]
    [MemberData(nameof(Unlimited))]
    public void A_loop_may_have_any_threshold(TimeSpan time) => Run(Turn, options => options.StallThreshold = time);

    [Fact]
    public void The_options_of_a_loop_refuse_what_is_negative()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new IOLoop(new IOLoopOptions { BusyPoll = s_negative }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new IOLoop(new IOLoopOptions { StallThreshold = s_negative }));
        new IOLoop(new IOLoopOptions { BusyPoll = TimeSpan.Zero, StallThreshold = TimeSpan.Zero }).Dispose();
    }

    [Fact]
    public void A_manual_clock_takes_times_beyond_its_end()
    {
        ManualTimeProvider clock = new();
        clock.Advance(TimeSpan.FromDays(1));
        using ITimer timer = clock.CreateTimer(_ => Assert.Fail("It is not due."), null, TimeSpan.MaxValue, Timeout.InfiniteTimeSpan);
        clock.Advance(TimeSpan.FromDays(10_000));
    }

    private static async Task<int> OneTurnLater()
    {
        await Task.Yield();
        return 1;
    }
}
