using System.Net;
using System.Net.Sockets;

namespace Waterspout.Tests;

/// <summary>No call waits for a disposed loop.</summary>
[OnEachPoller]
public sealed class LoopEndTests : LoopTest
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_stream_that_was_never_registered_ends_with_its_loop(bool isRunning) => Check(() =>
    {
        IOLoop loop = Loop;
        using RunningLoop? running = isRunning ? new RunningLoop(loop) : null;
        using IOStream stream = new(NewSocket(), null, loop);
        CancellationToken closed = stream.Closed;
        using ManualResetEventSlim called = new();
        stream.SetCloseCallback(called.Set);
        loop.Dispose();
        Assert.True(stream.IsClosed);
        Assert.True(closed.IsCancellationRequested);
        Assert.True(called.IsSet);
    });

    [Fact]
    public void Streams_without_listeners_end_with_a_loop_that_never_ran() => Check(() =>
    {
        BaseIOStream[] streams =
        [
            new IOStream(NewSocket(), null, Loop),
            new SslIOStream(NewSocket(), loop: Loop),
            IOStream.CreatePair(loop: Loop).Item1,
            PipeIOStream.CreatePair(loop: Loop).Item1,
            new DerivedStream(Loop, fails: false),
        ];
        Loop.Dispose();
        Assert.DoesNotContain(streams, stream => !stream.IsClosed);
    });

    [Fact]
    public void What_is_asked_of_a_stream_of_a_disposed_loop_is_answered() => Check(() =>
    {
        IOLoop loop = Loop;
        IOStream[] streams = [new IOStream(NewSocket(), null, loop), IOStream.CreatePair(loop: loop).Item1, new SslIOStream(NewSocket(), loop: loop)];
        loop.Dispose();
        foreach (IOStream stream in streams)
        {
            using ManualResetEventSlim called = new();
            stream.SetCloseCallback(called.Set);
            Assert.True(called.Wait(Limit));
            Assert.True(stream.Closed.IsCancellationRequested);
            stream.CloseAsync().AsTask().WaitAsync(Limit).GetAwaiter().GetResult();
            stream.DisposeAsync().AsTask().WaitAsync(Limit).GetAwaiter().GetResult();
            stream.Dispose();
            Fails(stream.ReadBytesAsync(1).AsTask());
            Fails(stream.FlushAsync().AsTask());
            Fails(stream.ConnectAsync(new IPEndPoint(IPAddress.Loopback, 1)).AsTask());
        }
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Whoever_waits_for_a_stream_is_answered_when_its_loop_ends(bool fromOtherThread) => Check(() =>
    {
        ExpectUnsent();
        IOLoop loop = Loop;
        using RunningLoop running = new(loop);
        using Socket silent = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        silent.Listen();
        List<Task> waiting = [];
        List<CancellationToken> tokens = [];
        void Begin()
        {
            (IOStream first, _) = IOStream.CreatePair(loop: loop);
            (IOStream second, _) = IOStream.CreatePair(loop: loop);
            (IOStream third, _) = IOStream.CreatePair(loop: loop);
            SslIOStream tls = new(NewSocket(), loop: loop);
            byte[] much = new byte[8 << 20];
            waiting.Add(first.ReadBytesAsync(1).AsTask());
            waiting.Add(second.WriteAsync(much).AsTask());
            waiting.Add(second.FlushAsync().AsTask());
            _ = third.WriteAsync(much).AsTask().ContinueWith(task => task.Exception, TaskScheduler.Default);
            waiting.Add(third.CloseAsync(Timeout.InfiniteTimeSpan).AsTask().ContinueWith(task => task.IsFaulted ? Task.CompletedTask : Task.FromException(new StreamClosedException()), TaskScheduler.Default).Unwrap());
            waiting.Add(tls.ConnectAsync(silent.LocalEndPoint!, "nobody").AsTask());
            waiting.Add(tls.WaitForHandshakeAsync().AsTask());
            tokens.AddRange([first.Closed, second.Closed, tls.Closed]);
        }

        if (fromOtherThread) Begin();
        else loop.InvokeAsync(() => { Begin(); return Task.CompletedTask; }).Wait(Limit);
        loop.RunSync(() => Task.CompletedTask, Limit);
        loop.Dispose();
        foreach (Task task in waiting) Fails(task);
        Assert.DoesNotContain(tokens, token => !token.IsCancellationRequested);
    });

    [Fact]
    public void Calls_that_were_queued_or_under_way_end_with_the_loop() => Check(() =>
    {
        IOLoop loop = Loop;
        Task never = loop.InvokeAsync(() => new TaskCompletionSource().Task);
        Task<int> five = loop.InvokeAsync(() => Task.FromResult(5));
        loop.Dispose();
        Assert.Equal(5, five.WaitAsync(Limit).GetAwaiter().GetResult());
        Assert.Throws<ObjectDisposedException>(() => never.WaitAsync(Limit).GetAwaiter().GetResult());
    });

    [Fact]
    public void An_exception_of_an_async_callback_after_the_loops_end_is_reported()
    {
        TaskCompletionSource<Exception> reported = new();
        ExpectLog("A callback on loop");
        Check(() =>
        {
            IOLoop loop = Loop;
            TaskCompletionSource resume = new();
            async void Callback()
            {
                await resume.Task;
                throw new InvalidDataException("on purpose");
            }

            loop.AddCallback(Callback);
            loop.RunSync(() => Task.CompletedTask, Limit);
            loop.Dispose();
            resume.SetResult();
            Assert.Equal("on purpose", reported.Task.WaitAsync(Limit).GetAwaiter().GetResult().Message);
        }, options => options.UnhandledException = reported.SetResult);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public void What_a_server_listens_on_ends_with_its_loop(bool isUnix, bool hasRun) => Check(() =>
    {
        IOLoop loop = Loop;
        EndPoint address = isUnix ? TestListener.NewPath() : new IPEndPoint(IPAddress.Loopback, 0);
        TcpServer server = loop.RunSync(() => Task.FromResult(new TcpServer(_ => Task.CompletedTask)), Limit);
        if (hasRun) loop.RunSync(() => Task.FromResult(address = server.Listen(address)), Limit);
        else address = server.Listen(address);
        loop.Dispose();
        using Socket client = isUnix ? new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) : NewSocket();
        Assert.Throws<SocketException>(() => client.Connect(address));
        if (isUnix) Assert.False(Path.Exists(address.ToString()));
        server.DisposeAsync().AsTask().WaitAsync(Limit).GetAwaiter().GetResult();
    });

    [Fact]
    public void A_queued_call_runs_also_behind_a_callback_that_always_adds_itself() => Check(() =>
    {
        IOLoop loop = Loop;
        void Again() => loop.AddCallback(Again);
        Again();
        Task<int> five = loop.InvokeAsync(() => Task.FromResult(5));
        loop.Dispose();
        Assert.Equal(5, five.WaitAsync(Limit).GetAwaiter().GetResult());
    });

    [Fact]
    public void Two_loops_of_a_group_may_dispose_it_at_a_time() => Check(() =>
    {
        IOLoopGroup group = new(3, new IOLoopOptions { Poller = Poller });
        using Barrier both = new(2);
        using CountdownEvent disposed = new(2);
        foreach (IOLoop loop in group.Take(2))
        {
            loop.AddCallback(() =>
            {
                Assert.True(both.SignalAndWait(Limit));
                group.Dispose();
                disposed.Signal();
            });
        }

        Assert.True(disposed.Wait(Limit));
        group.Dispose();
        Assert.All(group, loop => Assert.Throws<ObjectDisposedException>(() => loop.AddCallback(() => { })));
    });

    [Fact]
    public void A_stream_whose_end_fails_keeps_no_other_from_its_own() => Check(() =>
    {
        ExpectLog("A callback on loop");
        _ = new DerivedStream(Loop, fails: true);
        IOStream other = new(NewSocket(), null, Loop);
        Loop.Dispose();
        Assert.True(other.IsClosed);
    });

    private static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    private static void Fails(Task task)
    {
        Exception? error = Record.Exception(() => task.WaitAsync(Limit).GetAwaiter().GetResult());
        Assert.True(error is ObjectDisposedException or StreamClosedException, $"{error}");
    }

    private sealed class DerivedStream(IOLoop loop, bool fails) : BaseIOStream(null, loop)
    {
        protected override int Fileno => -1;

        protected override void CloseFd()
        {
            if (fails) throw new InvalidDataException("on purpose");
        }

        protected override int? WriteToFd(ReadOnlySpan<byte> data) => null;

        protected override int? ReadFromFd(Span<byte> buffer) => null;
    }
}
