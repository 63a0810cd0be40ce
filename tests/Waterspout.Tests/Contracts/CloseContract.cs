using System.Net;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace Waterspout.Tests;

/// <summary>Immediate closes on this side, with errors and without.</summary>
[Contract(Aspects.Closing)]
public sealed class CloseContract : StreamContract
{
    [Theory]
    [InlineData("local")]
    [InlineData("peer")]
    public void Name_and_addresses_are_known_after_the_close(string how) => RunPair(async (left, right) =>
    {
        (BaseIOStream stream, BaseIOStream other) = (right, left);
        string name = stream.ToString()!;
        (EndPoint? remote, EndPoint? local) = AddressesOf(stream);
        if (stream is IOStream) Assert.NotEqual(name, other.ToString());
        Task closed = WhenClosed(stream);
        if (how == "peer") other.Close();
        else stream.Close();
        await closed;

        Assert.Equal(name, stream.ToString());
        Assert.Equal((remote, local), AddressesOf(stream));
        other.Close();
    });

    [Fact]
    public void Closing_again_does_nothing_wherever_it_is_done() => RunPair(async (left, right) =>
    {
        int calls = 0;
        TaskCompletionSource closed = new();
        right.SetCloseCallback(() =>
        {
            calls++;
            right.Close();
            closed.SetResult();
        });
        ValueTask<byte[]> read = right.ReadBytesAsync(1);
        await left.WriteAsync("ab"u8);
        await AssertReads("a", read);
        right.Close(); // within the completion of a read
        right.Close(new IOException("late"));
        right.Dispose();
        await right.CloseAsync();
        await right.DisposeAsync();
        Assert.Equal(CloseReason.Local, right.CloseReason);
        Assert.Null(right.Error);
        await closed.Task;
        await Turns(3);
        Assert.Equal(1, calls);
    });

    [Fact]
    public void Closing_fails_pending_writes_with_the_given_error()
    {
        ExpectUnsent();
        RunPair(async (left, right) =>
        {
            IOException cause = new("cause");
            byte[] data = Clog(left, out Task write);
            Task small = left.WriteAsync(data.AsMemory(0, 10_000)).AsTask();
            Task flush = left.FlushAsync().AsTask();
            left.Close(cause);
            foreach (Task pending in (Task[])[write, small, flush])
                Assert.Same(cause, (await Assert.ThrowsAsync<StreamClosedException>(() => pending)).InnerException);
            Assert.False(left.IsWriting);
        });
    }

    [Fact]
    public void Closing_with_megabytes_unsent_fails_every_write_and_holds_no_memory_of_the_callers() => RunPair(async (left, right) =>
    {
        ExpectUnsent();
        Clog(left, out Task first);
        List<Task> writes = [first];
        List<WeakReference> memory = [];
        for (int i = 0; i < 40; i++) WriteMore(left, writes, memory);
        left.Close();
        Assert.Equal(0, left.Unsent);
        foreach (Task write in writes) await Assert.ThrowsAsync<StreamClosedException>(() => write);
        for (int tries = 0; tries < 10 && memory.Exists(static array => array.IsAlive); tries++)
        {
            await Turn();
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.DoesNotContain(memory, static array => array.IsAlive);
        GC.KeepAlive(left);
    });

    // In a separate method, so that nothing on the test's stack still refers to the array.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void WriteMore(BaseIOStream stream, List<Task> writes, List<WeakReference> memory)
    {
        byte[] data = new byte[250_000];
        memory.Add(new WeakReference(data));
        writes.Add(stream.WriteAsync((ReadOnlyMemory<byte>)data).AsTask());
        writes.Add(stream.WriteAsync(data.AsSpan(0, 100_000)).AsTask());
    }

    [Fact]
    public void Closing_fails_a_pending_read_with_the_given_error()
    {
        RunPair(async (left, right) =>
        {
            IOException cause = new("cause");
            ValueTask<byte[]> read = right.ReadBytesAsync(1);
            right.Close(cause);
            Assert.True(right.IsClosed);
            Assert.False(right.IsReading);
            Assert.Same(cause, (await AssertFails<StreamClosedException>(read)).InnerException);
            Assert.Same(cause, right.Error);
            Assert.Equal(CloseReason.Error, right.CloseReason);
            Assert.Equal(LogLevel.Debug, CloseLine(right).Level);
            Assert.Same(cause, (await AssertFails<StreamClosedException>(right.ReadBytesAsync(1))).InnerException);
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_first_close_decides_the_reason_and_the_error_wherever_it_comes_from(bool hasError) => RunPair(async (left, right) =>
    {
        IOException cause = new("cause");
        Task<byte[]> read = right.ReadBytesAsync(1).AsTask();
        // The loop is blocked meanwhile, so that its own close comes before the other thread's close has run there.
        Task.Run(() => right.Close(hasError ? cause : null)).Wait(Limit);
        AssertOutcome();
        right.Close(hasError ? null : new IOException("late"));
        AssertOutcome();
        left.Close();
        StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => read);
        Assert.Equal((right.CloseReason, right.Error), (closed.Reason, closed.InnerException));
        await Turns(3);
        AssertOutcome();

        void AssertOutcome()
        {
            Assert.True(right.IsClosed);
            Assert.Equal((hasError ? CloseReason.Error : CloseReason.Local, hasError ? cause : null), (right.CloseReason, right.Error));
        }
    });

    [Fact]
    public void Closes_that_race_never_show_the_reason_of_one_with_the_error_of_another() => RunPair(async (left, right) =>
    {
        Random random = NewRandom();
        for (int i = 0; i < Transport.Rounds(100); i++)
        {
            (BaseIOStream far, BaseIOStream near) = await Transport.ConnectAsync(null);
            IOException cause = new("cause");
            Task<byte[]> read = near.ReadBytesAsync(1).AsTask();
            using Barrier begun = new(2);
            Task<bool> elsewhere = Task.Run(() =>
            {
                begun.SignalAndWait();
                near.Close(cause);
                return near.CloseReason == CloseReason.Error == (near.Error == cause);
            });
            begun.SignalAndWait();
            Thread.SpinWait(random.Next(2000));
            if (i % 2 == 0) near.Close();
            else far.Close();
            Assert.True(await elsewhere);
            StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(() => read);
            Assert.Equal((near.CloseReason, near.Error), (closed.Reason, closed.InnerException));
            Assert.Equal(near.CloseReason == CloseReason.Error, near.Error == cause);
            far.Close();
        }
    });

    [Fact]
    public void Every_operation_on_a_closed_stream_fails_as_closed() => RunPair(async (left, right) =>
    {
        right.Close();
        left.Close();
        await AssertFails<StreamClosedException>(right.ReadBytesAsync(1));
        await AssertFails<StreamClosedException>(right.ReadBytesAsync(1, partial: true));
        await AssertFails<StreamClosedException>(right.ReadIntoAsync(new byte[1]));
        await AssertFails<StreamClosedException>(right.ReadUntilAsync("\n"u8));
        await AssertFails<StreamClosedException>(right.ReadUntilRegexAsync("x"));
        await AssertFails<StreamClosedException>(right.ReadUntilCloseAsync());
        await AssertFails<StreamClosedException>(left.WriteAsync(ReadOnlySpan<byte>.Empty));
        await AssertFails<StreamClosedException>(left.WriteAsync((ReadOnlyMemory<byte>)new byte[10_000]));
        await AssertFails<StreamClosedException>(left.FlushAsync());
        await AssertFails<StreamClosedException>(left.CompleteWritesAsync());
        Assert.Throws<StreamClosedException>(() => left.Write("x"u8));
        Assert.Throws<StreamClosedException>(() => _ = left.GetMemory());
        Assert.Throws<StreamClosedException>(() => right.ReadBytes(1, _ => { }));
        left.SetNoDelay(true);
        await left.CloseAsync();
        Assert.True(left.Closed.IsCancellationRequested);
    });

    [Fact]
    public void A_read_until_close_fails_when_this_side_closes_and_keeps_the_data() => RunPair(async (left, right) =>
    {
        ValueTask<byte[]> read = right.ReadUntilCloseAsync();
        await SendAlone(left, Bytes("kept"));
        right.Close();
        Assert.Equal(CloseReason.Local, (await AssertFails<StreamClosedException>(read)).Reason);
        await AssertReads("kept", right.ReadBytesAsync(4));
    });

    [Fact]
    public void A_close_callback_set_after_the_close_runs_all_the_same() => RunPair(async (left, right) =>
    {
        right.Close();
        bool isCalled = false;
        right.SetCloseCallback(() => isCalled = true);
        Assert.False(isCalled);
        await Turn();
        Assert.True(isCalled);
    });

    [Fact]
    public void A_close_callback_that_throws_is_only_logged()
    {
        ExpectLog("A callback of");
        RunPair(async (left, right) =>
        {
            right.SetCloseCallback(() => throw new FormatException("thrown by a test"));
            right.Close();
            await Turns(2);
            Assert.Equal(CloseReason.Local, right.CloseReason);
        });
    }

    [Fact]
    public void Disposing_the_loop_closes_its_streams()
    {
        Task<byte[]>? read = null;
        BaseIOStream? stream = null;
        RunPair((left, right) =>
        {
            stream = right;
            read = right.ReadBytesAsync(1).AsTask();
            return Task.CompletedTask;
        });
        Assert.True(stream!.IsClosed);
        Assert.IsType<StreamClosedException>(read!.Exception!.InnerException);
    }

    [Fact]
    public void A_read_that_closes_other_streams_whose_events_are_next_leaves_them_closed() => Run(async () =>
    {
        int count = Transport.Rounds(100);
        List<(BaseIOStream Left, BaseIOStream Right)> pairs = [];
        for (int i = 0; i < count; i++) pairs.Add(await Transport.ConnectAsync(null));
        int completed = 0, failed = 0;
        Task all = Task.WhenAll(pairs.Select(pair => ReadAndCloseAll(pair.Right)));
        foreach ((BaseIOStream left, _) in pairs) left.Write("x"u8);
        await all;
        Assert.Equal(1, completed);
        Assert.Equal(count - 1, failed);
        foreach ((BaseIOStream left, _) in pairs) left.Close();

        async Task ReadAndCloseAll(BaseIOStream stream)
        {
            try
            {
                await stream.ReadBytesAsync(1);
                completed++;
                foreach ((_, BaseIOStream right) in pairs) right.Close();
            }
            catch (StreamClosedException closed)
            {
                Assert.Equal(CloseReason.Local, closed.Reason);
                failed++;
            }
        }
    });

    private static (EndPoint? Remote, EndPoint? Local) AddressesOf(BaseIOStream stream) =>
        stream is IOStream socket ? (socket.RemoteEndPoint, socket.LocalEndPoint) : default;
}
