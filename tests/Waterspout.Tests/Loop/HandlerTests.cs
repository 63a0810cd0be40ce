using Waterspout.Interop;

namespace Waterspout.Tests;

[OnEachPoller]
public sealed class HandlerTests : LoopTest
{
    [Fact]
    public void A_handler_is_called_as_long_as_its_descriptor_is_ready() => Run(async () =>
    {
        using TestEventFd ready = new();
        int calls = 0;
        TaskCompletionSource done = new();
        Loop.AddHandler(ready.Fd, IOEvents.Read, (fd, events) =>
        {
            Assert.Equal(ready.Fd, fd);
            Assert.Equal(IOEvents.Read, events);
            if (++calls < 3) return;
            ready.Clear();
            Loop.CallLater(TimeSpan.FromMilliseconds(5), done.SetResult);
        });
        ready.Signal();
        await done.Task;
        Assert.Equal(3, calls);
        Loop.RemoveHandler(ready.Fd);
    });

    [Fact]
    public void UpdateHandler_changes_what_is_waited_for() => Run(async () =>
    {
        using TestEventFd ready = new();
        TaskCompletionSource<IOEvents> told = new();
        Loop.AddHandler(ready.Fd, IOEvents.None, (fd, events) =>
        {
            Loop.UpdateHandler(fd, IOEvents.None);
            told.SetResult(events);
        });
        ready.Signal();
        await Turns(3);
        Assert.False(told.Task.IsCompleted);
        Loop.UpdateHandler(ready.Fd, IOEvents.Write);
        Assert.Equal(IOEvents.Write, await told.Task);
        await Turns(3);
        Loop.RemoveHandler(ready.Fd);
    });

    [Fact]
    public void A_listening_socket_can_be_handled() => Run(async () =>
    {
        using System.Net.Sockets.TcpListener listener = new(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        int fd = (int)listener.Server.SafeHandle.DangerousGetHandle();
        TaskCompletionSource ready = new();
        Loop.AddHandler(fd, IOEvents.Read, (_, _) =>
        {
            Loop.RemoveHandler(fd);
            ready.SetResult();
        });
        using System.Net.Sockets.Socket client = new(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        client.Connect(listener.LocalEndpoint);
        await ready.Task;
    });

    [Fact]
    public void A_handler_that_throws_is_logged_and_called_again() => Run(async () =>
    {
        ExpectLog("A callback on loop");
        using TestEventFd ready = new();
        int calls = 0;
        TaskCompletionSource again = new();
        Loop.AddHandler(ready.Fd, IOEvents.Read, (fd, _) =>
        {
            if (++calls == 1) throw new InvalidDataException("on purpose");
            Loop.RemoveHandler(fd);
            again.SetResult();
        });
        ready.Signal();
        await again.Task;
    });

    [Fact]
    public void A_handler_that_another_one_removes_in_the_same_batch_is_not_called() => Run(async () =>
    {
        // More than one batch in Debug. All are ready at once; the first one called removes all the others.
        TestEventFd[] all = [.. Enumerable.Range(0, 50).Select(_ => new TestEventFd())];
        int calls = 0;
        TaskCompletionSource done = new();
        foreach (TestEventFd ready in all)
        {
            ready.Signal();
            Loop.AddHandler(ready.Fd, IOEvents.Read, (_, _) =>
            {
                calls++;
                foreach (TestEventFd other in all) Loop.RemoveHandler(other.Fd);
                done.SetResult();
            });
        }

        await done.Task;
        await Turns(3);
        Assert.Equal(1, calls);
        foreach (TestEventFd ready in all) ready.Dispose();
    });

    [Fact]
    public void A_descriptor_that_is_closed_and_used_again_in_a_batch_does_not_get_the_events_of_the_one_before() => Run(async () =>
    {
        using TestEventFd first = new();
        using TestEventFd second = new();
        int wrong = 0;
        bool isReplaced = false;
        TestEventFd? fresh = null;
        TaskCompletionSource done = new();
        void Replace(TestEventFd other)
        {
            if (isReplaced) return;
            isReplaced = true;
            Loop.RemoveHandler(first.Fd);
            Loop.RemoveHandler(second.Fd);
            // The number of the other one, whose event is in this batch, now belongs to an eventfd that is not ready.
            fresh = new TestEventFd();
            Assert.Equal(other.Fd, FileDescriptorsOf.Duplicate(fresh.Fd, other.Fd));
            Loop.AddHandler(other.Fd, IOEvents.Read, (_, _) => wrong++);
            done.SetResult();
        }

        Loop.AddHandler(first.Fd, IOEvents.Read, (_, _) => Replace(second));
        Loop.AddHandler(second.Fd, IOEvents.Read, (_, _) => Replace(first));
        first.Signal();
        second.Signal();
        await done.Task;
        await Turns(3);
        Assert.Equal(0, wrong);
        Loop.RemoveHandler(first.Fd);
        Loop.RemoveHandler(second.Fd);
        fresh!.Dispose();
    });

    [Fact]
    public void A_descriptor_can_be_added_again_within_its_own_handler() => Run(async () =>
    {
        using TestEventFd ready = new();
        TaskCompletionSource second = new();
        Loop.AddHandler(ready.Fd, IOEvents.Read, (fd, _) =>
        {
            Loop.RemoveHandler(fd);
            Loop.AddHandler(fd, IOEvents.Read, (_, _) =>
            {
                Loop.RemoveHandler(fd);
                second.SetResult();
            });
        });
        ready.Signal();
        await second.Task;
    });

    [Fact]
    public void What_cannot_be_polled_is_refused() => Run(() =>
    {
        using FileStream file = new(typeof(HandlerTests).Assembly.Location, FileMode.Open, FileAccess.Read);
        using FileStream nothing = new("/dev/null", FileMode.Open, FileAccess.Read);
        foreach (FileStream stream in (FileStream[])[file, nothing])
        {
            int fd = (int)stream.SafeFileHandle.DangerousGetHandle();
            Assert.Throws<ArgumentException>(() => Loop.AddHandler(fd, IOEvents.Read, (_, _) => { }));
        }

        return Task.CompletedTask;
    });

    [Fact]
    public void Misuse_throws_to_the_caller_on_the_loop() => Run(() =>
    {
        using TestEventFd ready = new();
        Assert.Throws<InvalidOperationException>(() => Loop.UpdateHandler(ready.Fd, IOEvents.Read));
        Loop.AddHandler(ready.Fd, IOEvents.Read, (_, _) => { });
        Assert.Throws<InvalidOperationException>(() => Loop.AddHandler(ready.Fd, IOEvents.Read, (_, _) => { }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Loop.AddHandler(-1, IOEvents.Read, (_, _) => { }));
        Assert.Throws<ArgumentNullException>(() => Loop.AddHandler(ready.Fd, IOEvents.Read, null!));
        Loop.RemoveHandler(ready.Fd);
        Loop.RemoveHandler(ready.Fd);
        return Task.CompletedTask;
    });

    [Fact]
    public void Handlers_can_be_added_and_removed_from_another_thread() => Run(async () =>
    {
        using TestEventFd ready = new();
        ready.Signal();
        IOLoop loop = Loop;
        TaskCompletionSource<bool> called = new();
        await Task.Run(() => loop.AddHandler(ready.Fd, IOEvents.Read, (fd, _) =>
        {
            loop.UpdateHandler(fd, IOEvents.None);
            called.SetResult(loop.IsCurrent);
        }));
        Assert.True(await called.Task);
        await Task.Run(() => loop.RemoveHandler(ready.Fd));
        await Turns(2);
        Assert.Throws<InvalidOperationException>(() => Loop.UpdateHandler(ready.Fd, IOEvents.Read));
    });

    [Fact]
    public void A_handler_that_another_thread_has_removed_is_not_called() => Run(async () =>
    {
        using TestEventFd first = new();
        using TestEventFd second = new();
        int calls = 0;
        TaskCompletionSource done = new();
        IOLoop loop = Loop;
        foreach ((TestEventFd ready, TestEventFd other) in ((TestEventFd, TestEventFd)[])[(first, second), (second, first)])
        {
            ready.Signal();
            loop.AddHandler(ready.Fd, IOEvents.Read, (fd, _) =>
            {
                calls++;
                Elsewhere(() => loop.RemoveHandler(other.Fd));
                loop.RemoveHandler(fd);
                done.SetResult();
            });
        }

        await done.Task;
        await Turns(3);
        Assert.Equal(1, calls);
    });

    [Fact]
    public void A_stream_with_the_number_of_a_descriptor_whose_handler_another_thread_has_removed_is_not_disturbed() => Run(async () =>
    {
        TestEventFd old = new();
        int fd = old.Fd;
        IOLoop loop = Loop;
        loop.AddHandler(fd, IOEvents.Read, (_, _) => { });
        (Descriptor reader, Descriptor writer) = FileDescriptors.CreatePipe();
        Elsewhere(() => loop.RemoveHandler(fd));
        // Closes the old one, and has its number reused immediately.
        Assert.Equal(fd, FileDescriptorsOf.Duplicate(reader.Number, fd));
        FileDescriptors.Close(reader);
        using PipeIOStream stream = new(fd), other = new(writer.Number);
        await Turns(3);
        await other.WriteAsync("x"u8);
        Assert.Single(await stream.ReadBytesAsync(1));
    });

    [Fact]
    public void A_descriptor_whose_handler_another_thread_has_removed_can_be_added_at_once() => Run(async () =>
    {
        using TestEventFd ready = new();
        IOLoop loop = Loop;
        for (int i = 0; i < 3; i++)
        {
            TaskCompletionSource called = new();
            loop.AddHandler(ready.Fd, IOEvents.Read, (_, _) => called.TrySetResult());
            ready.Signal();
            await called.Task;
            ready.Clear();
            Elsewhere(() => loop.RemoveHandler(ready.Fd));
        }

        // Removed before the loop had registered it.
        Elsewhere(() =>
        {
            loop.AddHandler(ready.Fd, IOEvents.Write, (_, _) => Assert.Fail("It has been removed."));
            loop.RemoveHandler(ready.Fd);
        });
        await Turns(3);
    });

    [Fact]
    public void UpdateHandler_counts_for_a_handler_that_is_on_its_way_from_another_thread() => Run(async () =>
    {
        using TestEventFd ready = new();
        IOLoop loop = Loop;
        TaskCompletionSource<IOEvents> told = new();
        Elsewhere(() => loop.AddHandler(ready.Fd, IOEvents.Read, (fd, events) =>
        {
            loop.RemoveHandler(fd);
            told.SetResult(events);
        }));
        loop.UpdateHandler(ready.Fd, IOEvents.Write);
        Assert.Equal(IOEvents.Write, await told.Task);
    });

    [Fact]
    public void Misuse_throws_to_the_caller_on_other_threads() => Run(() =>
    {
        using TestEventFd ready = new();
        IOLoop loop = Loop;
        Elsewhere(() =>
        {
            Assert.Throws<InvalidOperationException>(() => loop.UpdateHandler(ready.Fd, IOEvents.Read));
            loop.AddHandler(ready.Fd, IOEvents.Read, (_, _) => { });
            Assert.Throws<InvalidOperationException>(() => loop.AddHandler(ready.Fd, IOEvents.Read, (_, _) => { }));
            loop.RemoveHandler(ready.Fd);
            loop.RemoveHandler(ready.Fd);
        });
        return Turns(2);
    });

    private static void Elsewhere(Action action)
    {
        Exception? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                action();
            }
            catch (Exception error)
            {
                failure = error;
            }
        });
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }

    private static class FileDescriptorsOf
    {
        [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "dup3")]
        private static extern int Dup3(int from, int to, int flags);

        internal static int Duplicate(int from, int to) => Dup3(from, to, LibC.O_CLOEXEC);
    }
}
