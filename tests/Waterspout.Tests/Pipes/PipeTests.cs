using System.Net.Sockets;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Waterspout.Interop;

namespace Waterspout.Tests;

[OnEachPoller]
public sealed class PipeTests : LoopTest
{
    [Fact]
    public void A_megabyte_goes_through_a_pipe_of_64_KiB() => Run(async () =>
    {
        (PipeIOStream reader, PipeIOStream writer) = PipeIOStream.CreatePair();
        byte[] data = new byte[1024 * 1024];
        new Random(1).NextBytes(data);
        Task write = writer.WriteAsync(data.AsMemory()).AsTask();
        Assert.True((await reader.ReadBytesAsync(data.Length)).AsSpan().SequenceEqual(data));
        await write;
        writer.Close();
        Assert.Empty(await reader.ReadUntilCloseAsync());
    });

    [Fact]
    public void Closing_the_writing_end_ends_the_stream() => Run(async () =>
    {
        (PipeIOStream reader, PipeIOStream writer) = PipeIOStream.CreatePair();
        await writer.WriteAsync("last words"u8);
        await writer.CloseAsync();
        Assert.Equal("last words", Encoding.ASCII.GetString(await reader.ReadUntilCloseAsync()));
        Assert.True(reader.IsClosed);
        Assert.Equal(CloseReason.EndOfStream, reader.CloseReason);
        Assert.Null(reader.Error);
    });

    [Fact]
    public void Completing_the_writes_closes_the_writing_end() => Run(async () =>
    {
        (PipeIOStream reader, PipeIOStream writer) = PipeIOStream.CreatePair();
        await writer.WriteAsync("all"u8);
        await writer.CompleteWritesAsync();
        Assert.True(writer.IsClosed);
        Assert.Equal("all", Encoding.ASCII.GetString(await reader.ReadUntilCloseAsync()));
    });

    [Fact]
    public void A_closed_reader_is_noticed_without_a_write() => Run(async () =>
    {
        (PipeIOStream reader, PipeIOStream writer) = PipeIOStream.CreatePair();
        TaskCompletionSource closed = new();
        writer.SetCloseCallback(closed.SetResult);
        reader.Close();
        await closed.Task;
        Assert.Equal(CloseReason.Reset, writer.CloseReason);
        Assert.NotNull(writer.Error);
    });

    [Fact]
    public void Writing_to_a_closed_reader_is_a_reset() => Run(async () =>
    {
        (Descriptor readEnd, Descriptor writeEnd) = FileDescriptors.CreatePipe();
        PipeIOStream writer = new(writeEnd.Number);
        FileDescriptors.Close(readEnd);
        await writer.WriteAsync("x"u8);
        await Assert.ThrowsAsync<StreamClosedException>(async () => await writer.FlushAsync());
        Assert.Equal(CloseReason.Reset, writer.CloseReason);
    });

    [Fact]
    public void Reading_the_writing_end_fails_at_once()
    {
        ExpectLog("closed: Error");
        Run(async () =>
        {
            (PipeIOStream reader, PipeIOStream writer) = PipeIOStream.CreatePair();
            Task<byte[]> read = writer.ReadBytesAsync(1).AsTask();
            Assert.True(writer.IsClosed);
            Assert.Equal(CloseReason.Error, writer.CloseReason);
            Assert.Same(writer.Error, (await Assert.ThrowsAsync<StreamClosedException>(() => read)).InnerException);
            Assert.Empty(await reader.ReadUntilCloseAsync());
        });
    }

    [Fact]
    public void Reading_what_is_open_for_writing_only_by_callback_closes_the_stream()
    {
        ExpectLog("closed: Error");
        Run(async () =>
        {
            (PipeIOStream reader, PipeIOStream writer) = PipeIOStream.CreatePair();
            TaskCompletionSource closed = new();
            writer.SetCloseCallback(closed.SetResult);
            writer.ReadUntil("\n"u8, _ => { });
            await closed.Task;
            Assert.IsType<IOException>(writer.Error);
            reader.Close();
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_direction_of_a_socket_that_was_shut_down_before_does_not_wait(bool isRead) => Run(async () =>
    {
        (Descriptor first, Descriptor second) = Sockets.CreatePair();
        using Socket socket = new(new SafeSocketHandle(first.Number, ownsHandle: false));
        socket.Shutdown(isRead ? SocketShutdown.Receive : SocketShutdown.Send);
        GC.SuppressFinalize(socket);
        using PipeIOStream one = new(first.Number);
        using PipeIOStream other = new(second.Number);
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(async () =>
        {
            if (isRead) await one.ReadBytesAsync(1);
            await one.WriteAsync("x"u8);
            await one.FlushAsync();
        });
        Assert.Equal(isRead ? CloseReason.EndOfStream : CloseReason.Reset, error.Reason);
    });

    [Fact]
    public void A_writing_end_stays_usable_while_nothing_reads_from_it() => Run(async () =>
    {
        (PipeIOStream reader, PipeIOStream writer) = PipeIOStream.CreatePair();
        for (int i = 0; i < 3; i++)
        {
            await writer.WriteAsync("x"u8);
            Assert.Single(await reader.ReadBytesAsync(1));
        }

        Assert.False(writer.IsReading);
        Assert.False(writer.Closed.IsCancellationRequested);
        await writer.CloseAsync();
        Assert.Empty(await reader.ReadUntilCloseAsync());
        Assert.Null(writer.Error);
    });

    [Fact]
    public void A_descriptor_of_a_safe_handle_belongs_to_the_stream() => Run(async () =>
    {
        (Descriptor readEnd, Descriptor writeEnd) = FileDescriptors.CreatePipe();
        SafeFileHandle handle = new(readEnd.Number, ownsHandle: true);
        PipeIOStream reader = new(handle);
        PipeIOStream writer = new(writeEnd.Number);
        await writer.WriteAsync("x"u8);
        Assert.Single(await reader.ReadBytesAsync(1));
        reader.Close();
        writer.Close();
        Assert.True(handle.IsClosed);
    });

    [Fact]
    public void A_safe_handle_disposed_elsewhere_keeps_its_descriptor() => Run(async () =>
    {
        (Descriptor readEnd, Descriptor writeEnd) = FileDescriptors.CreatePipe();
        SafeFileHandle handle = new(readEnd.Number, ownsHandle: true);
        PipeIOStream reader = new(handle);
        PipeIOStream writer = new(writeEnd.Number);
        handle.Dispose();
        await writer.WriteAsync("x"u8);
        Assert.Single(await reader.ReadBytesAsync(1));
        reader.Close();
        writer.Close();
    });

    [Fact]
    public void A_closed_handle_and_a_number_that_is_not_open_are_refused() => Run(() =>
    {
        Assert.Throws<ObjectDisposedException>(() => new PipeIOStream(new SafeFileHandle(-1, ownsHandle: false)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new PipeIOStream(-1));
        Assert.Throws<ArgumentNullException>(() => new PipeIOStream((SafeFileHandle)null!));
        Assert.Throws<IOException>(() => new PipeIOStream(1_000_000));
        return Task.CompletedTask;
    });

    [Fact]
    public void What_cannot_be_polled_is_refused_and_stays_the_callers() => Run(() =>
    {
        foreach (string path in (string[])["/dev/null", typeof(PipeTests).Assembly.Location, "/"])
        {
            Assert.Throws<ArgumentException>(() => PipeIOStream.Open(path, FileAccess.Read));
            Descriptor fd = FileDescriptors.Open(path, LibC.O_RDONLY);
            int before = FileDescriptors.GetStatusFlags(fd).Value;
            Assert.Throws<ArgumentException>(() => new PipeIOStream(fd.Number));
            Assert.Equal(before, FileDescriptors.GetStatusFlags(fd).Value);
            FileDescriptors.Close(fd);
        }

        return Task.CompletedTask;
    });

    [Fact]
    public void The_blocking_mode_is_put_back_on_close() => Run(() =>
    {
        (Descriptor readEnd, Descriptor writeEnd) = FileDescriptors.CreatePipe();
        FileDescriptors.SetStatusFlags(readEnd, 0);
        Descriptor duplicate = Duplicates.Of(readEnd);
        PipeIOStream reader = new(readEnd.Number);
        Assert.NotEqual(0, FileDescriptors.GetStatusFlags(duplicate).Value & LibC.O_NONBLOCK);
        reader.Close();
        Assert.Equal(0, FileDescriptors.GetStatusFlags(duplicate).Value & LibC.O_NONBLOCK);
        FileDescriptors.Close(duplicate);
        FileDescriptors.Close(writeEnd);
        return Task.CompletedTask;
    });

    [Fact]
    public void A_duplicate_that_outlives_the_stream_causes_no_events() => Run(async () =>
    {
        (Descriptor readEnd, Descriptor writeEnd) = FileDescriptors.CreatePipe();
        Descriptor duplicate = Duplicates.Of(readEnd);
        PipeIOStream reader = new(readEnd.Number);
        reader.Close();
        // The kernel still has the pipe's reader; events for it must not come, nor reach the new owner of the number.
        PipeIOStream writer = new(writeEnd.Number);
        await writer.WriteAsync("to the duplicate"u8);
        await writer.FlushAsync();
        long before = Loop.Counters.Turns;
        TaskCompletionSource later = new();
        Loop.CallLater(TimeSpan.FromMilliseconds(10), later.SetResult);
        await later.Task;
        Assert.InRange(Loop.Counters.Turns - before, 0, 100);
        FileDescriptors.Close(duplicate);
        writer.Close();
    });

    [Fact]
    public void Reading_what_is_open_for_writing_only_closes_the_stream_with_the_error() => Run(async () =>
    {
        ExpectUnsent();
        ExpectLog("closed: Error");
        ExpectLog("and not sent");
        (PipeIOStream reader, PipeIOStream writer) = PipeIOStream.CreatePair();
        await reader.WriteAsync("x"u8);
        await Assert.ThrowsAsync<StreamClosedException>(async () => await reader.FlushAsync());
        Assert.Equal(CloseReason.Error, reader.CloseReason);
        Assert.NotNull(reader.Error);
        writer.Close();
    });

    [Fact]
    public void A_pipe_that_reuses_a_descriptor_has_a_new_name() => Run(async () =>
    {
        HashSet<string> names = [];
        for (int i = 0; i < 3; i++)
        {
            (PipeIOStream reader, PipeIOStream writer) = PipeIOStream.CreatePair();
            Assert.True(names.Add(reader.ToString()) && names.Add(writer.ToString()));
            reader.Close();
            writer.Close();
            Assert.False(names.Add(reader.ToString()), "The name changes with the close.");
        }

        await Task.Yield();
    });

    [Fact]
    public void A_socket_can_be_given_by_its_number() => Run(async () =>
    {
        (Descriptor first, Descriptor second) = Sockets.CreatePair();
        PipeIOStream one = new(first.Number);
        PipeIOStream other = new(second.Number);
        await one.WriteAsync("request"u8);
        await one.CompleteWritesAsync();
        Assert.Equal("request"u8.Length, (await other.ReadUntilCloseAsync()).Length);
        one.Close();
        other.Close();
    });
}
