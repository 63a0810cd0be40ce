namespace Waterspout.Tests;

/// <summary>Use from threads other than the loop's.</summary>
[Contract(Aspects.Use)]
public sealed class ThreadContract : StreamContract
{
    [Fact]
    public void Calls_from_other_threads_resume_off_the_loop() => RunPair((left, right) => Task.Run(async () =>
    {
        byte[] large = RandomBytes(new Random(6), 1_000_000);
        Task write = left.WriteAsync((ReadOnlyMemory<byte>)large).AsTask();
        AssertSame(large, await right.ReadBytesAsync(large.Length));
        Assert.False(Loop.IsCurrent);
        await write;
        Assert.False(Loop.IsCurrent);
        await left.WriteAsync("a,b\nabcd"u8);
        Assert.False(Loop.IsCurrent);
        Assert.Equal("a,", Text((await right.PeekAsync(2)).Span));
        Assert.False(Loop.IsCurrent);
        await AssertReads("a,", right.ReadUntilAsync(","u8));
        Assert.Equal("b\n", await right.ReadUntilAsync("\n"u8, data => Text(data)));
        Assert.False(Loop.IsCurrent);
        await AssertReads("ab", right.ReadUntilRegexAsync("b"));
        byte[] target = new byte[2];
        Assert.Equal(2, await right.ReadIntoAsync(target));
        Assert.Equal("cd", Text(target));
        Assert.False(Loop.IsCurrent);
        Span(left, "span");
        await left.FlushAsync();
        Assert.False(Loop.IsCurrent);
        await left.CompleteWritesAsync();
        Assert.False(Loop.IsCurrent);
        await AssertReads("span", right.ReadUntilCloseAsync());
        Assert.False(Loop.IsCurrent);
        await AssertFails<StreamClosedException>(right.ReadBytesAsync(1));
        await left.CloseAsync();
        Assert.False(Loop.IsCurrent);

        static void Span(BaseIOStream stream, string text)
        {
            Bytes(text).CopyTo(stream.GetSpan(text.Length));
            stream.Advance(text.Length);
        }
    }));

    [Fact]
    public void Messages_are_read_from_another_thread() => RunPair((left, right) => Task.Run(async () =>
    {
        ReadOnlyMemory<byte>[] delimiters = [new byte[] { (byte)';' }, new byte[] { (byte)'!' }];
        await left.WriteAsync("abc\u0002de;f dropped, g"u8);
        Assert.Equal("a", await right.ReadMessageAsync<string>(FirstByte));
        Assert.Equal("b1", await right.ReadMessageAsync<string, string>("1", FirstByteBefore));
        Assert.True(await right.ReadMessagesAsync<string>(FirstByte, message => message != "c"));
        await AssertReads("de", right.ReadFrameAsync(new FrameLength(1)));
        Assert.Equal((";", 0), await right.ReadUntilAnyAsync(delimiters, (data, which) => (Text(data), which)));
        Assert.Equal("f1", await right.ReadBytesAsync(1, "1", static (data, state) => Text(data) + state));
        await right.DiscardAsync(1);
        Assert.Equal(8, await right.DiscardUntilAsync(","u8));
        Assert.True(await right.SplitAsync("g"u8, " ", static (piece, state) => Text(piece) != state));
        Assert.False(Loop.IsCurrent);

        static bool FirstByte(ReadOnlySpan<byte> data, out int consumed, out string message, out int needed)
        {
            (consumed, message, needed) = (1, Text(data[..1]), 0);
            return true;
        }

        static bool FirstByteBefore(ReadOnlySpan<byte> data, string state, out int consumed, out string message, out int needed)
        {
            (consumed, message, needed) = (1, Text(data[..1]) + state, 0);
            return true;
        }
    }));

    [Fact]
    public void A_close_before_a_posted_callback_form_drops_it_and_logs_its_data() => RunPair(async (left, right) =>
    {
        ExpectUnsent();
        Task closed = Task.WhenAll(WhenClosed(left), WhenClosed(right));
        Thread other = new(() =>
        {
            left.Write("late"u8, () => Assert.Fail("The write was reported."));
            right.ReadBytes(1, _ => Assert.Fail("The read was reported."));
        });
        other.Start();
        other.Join();
        // The calls are in the queue of the loop, whose thread this is.
        left.Close();
        right.Close();
        await closed;
        await Turn();
    });

    [Fact]
    public void Awaits_on_the_loop_resume_on_the_loop() => RunPair(async (left, right) =>
    {
        for (int i = 0; i < 10; i++)
        {
            ValueTask<byte[]> read = right.ReadBytesAsync(1);
            await left.WriteAsync("x"u8);
            Assert.True(Loop.IsCurrent);
            await read;
            Assert.True(Loop.IsCurrent);
            await left.FlushAsync();
            Assert.True(Loop.IsCurrent);
        }
    });

    [Fact]
    public void An_await_resumes_in_the_turn_that_received_the_data() => RunPair(async (left, right) =>
    {
        for (int i = 0; i < 10; i++)
        {
            long arrived = 0;
            ValueTask<int> read = right.ReadBytesAsync(1, _ =>
            {
                arrived = Loop.Turn;
                return 0;
            });
            Assert.False(read.IsCompleted);
            left.Write("x"u8);
            await read;
            Assert.Equal(arrived, Loop.Turn);
        }
    });

    [Fact]
    public void An_await_resumes_in_the_callers_context() => RunPair(async (left, right) =>
    {
        PostingContext context = new();
        await Task.Run(async () =>
        {
            SynchronizationContext.SetSynchronizationContext(context);
            Task reading = ReadInContextAsync(); // awaited before there is anything to read
            left.Write("x"u8);
            await reading;
            Assert.InRange(context.Posts, 1, 2); // its own, and that of the task, which may already be done

            // Also if that is on the loop's thread.
            await Loop.InvokeAsync(async () =>
            {
                SynchronizationContext.SetSynchronizationContext(context);
                ValueTask<byte[]> next = right.ReadBytesAsync(1);
                left.Write("y"u8);
                await next;
                Assert.Same(context, SynchronizationContext.Current);
                Assert.False(Loop.IsCurrent);
            }).ConfigureAwait(false);
        });

        async Task ReadInContextAsync()
        {
            await right.ReadBytesAsync(1);
            Assert.Same(context, SynchronizationContext.Current);
            Assert.False(Loop.IsCurrent);
        }
    });

    [Fact]
    public void The_properties_reflect_a_call_as_soon_as_it_has_returned() => RunPair((left, right) => Task.Run(async () =>
    {
        Task<byte[]> read = right.ReadBytesAsync(1).AsTask();
        Assert.True(right.IsReading);
        await Assert.ThrowsAsync<InvalidOperationException>(() => right.ReadBytesAsync(1).AsTask());
        left.Close();
        Assert.True(left.IsClosed);
        Assert.Equal(CloseReason.Local, left.CloseReason);
        Assert.Throws<StreamClosedException>(() => left.Write("x"u8));
        await Assert.ThrowsAsync<StreamClosedException>(() => read);
        Assert.False(right.IsReading);
    }));

    [Fact]
    public void Closing_from_another_thread_ends_a_pending_read() => RunPair(async (left, right) =>
    {
        for (int i = 0; i < Transport.Rounds(200); i++)
        {
            (BaseIOStream otherLeft, BaseIOStream otherRight) = await Transport.ConnectAsync(null);
            ValueTask<byte[]> read = otherRight.ReadBytesAsync(2);
            await otherLeft.WriteAsync("x"u8);
            Task close = Task.Run(() => otherRight.Close());
            Assert.Equal(CloseReason.Local, (await AssertFails<StreamClosedException>(read)).Reason);
            await close;
            otherLeft.Close();
        }

        // Their numbers were reused all the time; these streams still have theirs.
        await left.WriteAsync("still here"u8);
        await AssertReads("still here", right.ReadBytesAsync(10));
    });

    [Fact]
    public void Callbacks_given_from_another_thread_run_on_the_loop() => RunPair((left, right) => Task.Run(async () =>
    {
        TaskCompletionSource<bool> sent = new(), read = new(), closed = new();
        right.SetCloseCallback(() => closed.SetResult(Loop.IsCurrent));
        right.ReadUntil("\n"u8, _ => read.SetResult(Loop.IsCurrent));
        left.Write("line\n"u8, () => sent.SetResult(Loop.IsCurrent));
        Assert.True(await read.Task);
        Assert.True(await sent.Task);
        left.Close();
        Assert.True(await closed.Task);
    }));

    [Fact]
    public void Synchronous_continuations_also_resume_off_the_loop() => RunPair((left, right) => Task.Run(async () =>
    {
        Task<bool> read = right.ReadBytesAsync(1).AsTask().ContinueWith(_ => Loop.IsCurrent,
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        left.Write("x"u8);
        Assert.False(await read);
    }));

    [Fact]
    public void An_operation_awaited_from_another_thread_resumes_off_the_loop() => RunPair(async (left, right) =>
    {
        ValueTask<byte[]> read = right.ReadBytesAsync(1);
        Task<bool> readGoesOn = await AwaitElsewhere(read.GetAwaiter().UnsafeOnCompleted);
        byte[] data = Clog(left, out Task write);
        ValueTask flush = left.FlushAsync();
        Task<bool> flushGoesOn = await AwaitElsewhere(flush.GetAwaiter().UnsafeOnCompleted);
        Assert.False(await readGoesOn);
        await read;
        await right.ReadIntoAsync(new byte[data.Length - 1]);
        Assert.False(await flushGoesOn);
        await flush;
        await write;

        // The inner task reports whether the continuation ran on the loop; the outer one completes when it has been registered.
        Task<Task<bool>> AwaitElsewhere(Action<Action> onCompleted) => Task.Run(() =>
        {
            TaskCompletionSource<bool> goesOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
            onCompleted(() => goesOn.SetResult(Loop.IsCurrent));
            return Task.FromResult(goesOn.Task);
        });
    });
}
