namespace Waterspout.Tests;

public sealed class LoopGroupTests : LoopTest
{
    [Fact]
    public void Default_runs_on_a_thread_of_its_own_and_is_one() => Check(() =>
    {
        Assert.Same(IOLoop.Default, IOLoop.Default);
        Assert.False(IOLoop.Default.IsCurrent);
        Assert.True(IOLoop.Default.RunSync(() => Task.FromResult(IOLoop.Default.IsCurrent), Limit));
    });

    [Fact]
    public void Current_is_the_loop_of_the_thread_or_else_the_default() => Check(() =>
    {
        Assert.Same(IOLoop.Default, IOLoop.Current);
        Assert.Same(Loop, Loop.RunSync(() => Task.FromResult(IOLoop.Current), Limit));
        Assert.Same(IOLoop.Default, IOLoop.Current);
    });

    [Fact]
    public void A_group_hands_out_its_loops_in_turn() => Check(() =>
    {
        using IOLoopGroup group = new(3);
        Assert.Equal(3, group.Count);
        IOLoop[] twice = [.. Enumerable.Range(0, 6).Select(_ => group.Next())];
        Assert.Equal([.. group, .. group], twice);
        Assert.Same(group[1], twice[1]);
    });

    [Fact]
    public void The_loops_of_a_group_run_on_threads_of_their_own_and_are_named() => Check(() =>
    {
        using IOLoopGroup group = new(3, new IOLoopOptions { Name = "workers" });
        int[] threads = [.. group.Select(loop => loop.RunSync(() => Task.FromResult(Environment.CurrentManagedThreadId), Limit))];
        Assert.Equal(3, threads.Distinct().Count());
        Assert.Equal(["workers 0", "workers 1", "workers 2"], group.Select(loop => loop.Name));
    });

    [Fact]
    public void Disposing_a_group_closes_the_streams_of_all_its_loops() => Check(() =>
    {
        IOLoopGroup group = new(2);
        IOStream[] streams = [.. group.Select(loop => IOStream.CreatePair(loop: loop).Item1)];
        Task<byte[]>[] reads = [.. streams.Select(stream => stream.ReadBytesAsync(1).AsTask())];
        // The other ends are kept by their loops until then.
        group.Dispose();
        Assert.All(streams, stream => Assert.True(stream.IsClosed));
        Assert.All(reads, read => Assert.Throws<StreamClosedException>(() => read.WaitAsync(Limit).GetAwaiter().GetResult()));
    });

    [Fact]
    public void A_group_of_no_loops_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => new IOLoopGroup(0));

    [Fact]
    public void Negative_times_in_the_options_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new IOLoop(new IOLoopOptions { BusyPoll = TimeSpan.FromTicks(-1) }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new IOLoop(new IOLoopOptions { StallThreshold = TimeSpan.FromSeconds(-1) }));
    }

    [Fact]
    public void A_poller_that_does_not_exist_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new IOLoop(new IOLoopOptions { Poller = (PollerKind)99 }));
}
