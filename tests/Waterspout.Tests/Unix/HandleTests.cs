using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Waterspout.Interop;

namespace Waterspout.Tests;

/// <summary>Handles that travel over Unix sockets. Each test's end checks that none was left open.</summary>
[OnEachPoller]
public sealed class HandleTests : LoopTest
{
    [Fact]
    public void A_handle_refers_to_the_senders_open_file() => Run(async () =>
    {
        (UnixIOStream near, UnixIOStream far) = UnixIOStream.CreatePair();
        (PipeIOStream reader, SafeFileHandle writer) = Pipe();
        await near.WriteAsync("take it\n"u8.ToArray(), [writer]);
        // The caller's own may be disposed before the turn's end, which sends it.
        writer.Dispose();
        Assert.Equal("take it", await far.ReadLineAsync());
        using (PipeIOStream output = new(Take(far))) await output.WriteAsync("through the other process's\n"u8);
        Assert.Equal("through the other process's\n"u8.ToArray(), await reader.ReadUntilCloseAsync());
        Assert.False(far.TryTakeHandle(out _));
        near.Close();
        far.Close();
    });

    [Fact]
    public void Handles_come_in_order_and_not_after_their_first_byte() => Run(async () =>
    {
        (UnixIOStream near, UnixIOStream far) = UnixIOStream.CreatePair();
        using Files files = new(7);
        near.Write("0"u8);
        await near.WriteAsync("123"u8.ToArray(), files[..2]);
        near.Write("45"u8);
        await near.WriteAsync("6"u8.ToArray(), files[2..3]);
        await near.WriteAsync("78"u8.ToArray(), files[3..]);
        int taken = 0;
        for (int i = 0; i < 9; i++)
        {
            Assert.Equal((byte)('0' + i), (await far.ReadBytesAsync(1))[0]);
            int atLeast = i switch { 0 => 0, < 6 => 2, 6 => 3, _ => 7 };
            Assert.InRange(taken + far.ReceivedHandleCount, atLeast, 7);
            while (far.TryTakeHandle(out SafeFileHandle? handle)) files.CheckAndClose(taken++, handle);
        }

        Assert.Equal(7, taken);
        near.Close();
        far.Close();
    });

    [Fact]
    public void A_message_carries_253_handles_and_not_one_more() => Run(async () =>
    {
        (UnixIOStream near, UnixIOStream far) = UnixIOStream.CreatePair();
        using Files files = new(254);
        Assert.Equal("handles", Assert.Throws<ArgumentOutOfRangeException>(() => { _ = near.WriteAsync(new byte[1], files[..]); }).ParamName);
        Assert.Equal("handles", Assert.Throws<ArgumentOutOfRangeException>(() => { _ = near.WriteAsync(new byte[1], []); }).ParamName);
        Assert.Equal("data", Assert.Throws<ArgumentException>(() => { _ = near.WriteAsync(default, files[..1]); }).ParamName);
        Assert.Throws<ArgumentNullException>(() => { _ = near.WriteAsync(new byte[1], null!, default); });
        Assert.Throws<ArgumentNullException>(() => { _ = near.WriteAsync(new byte[1], [files[0], null!]); });
        Assert.Throws<ArgumentException>(() => { _ = near.WriteAsync(new byte[1], [files[0], new SafeFileHandle()]); });
        SafeFileHandle closed = new(FileDescriptors.Open("/dev/null", LibC.O_RDWR).Number, ownsHandle: true);
        closed.Dispose();
        Assert.Throws<ObjectDisposedException>(() => { _ = near.WriteAsync(new byte[1], [files[0], closed]); });
        await near.WriteAsync(new byte[1], files[..253]);
        await far.ReadBytesAsync(1);
        Assert.Equal(253, far.ReceivedHandleCount);
        for (int i = 0; i < 253; i++) files.CheckAndClose(i, Take(far));
        near.Close();
        far.Close();
    });

    [Fact]
    public void No_handle_is_lost_between_large_writes_to_a_slow_reader() => Run(async () =>
    {
        (UnixIOStream near, UnixIOStream far) = UnixIOStream.CreatePair();
        using Files files = new(20);
        byte[] large = new byte[300_000];
        Task writes = Task.WhenAll(Enumerable.Range(0, 20).Select(i =>
        {
            large.AsSpan().Fill((byte)i);
            near.Write(large.AsSpan(0, i * 1_000));
            return near.WriteAsync(large.AsSpan(0, 1 + (i * 15_000)).ToArray(), files[i..(i + 1)]).AsTask();
        }));
        for (int i = 0; i < 20; i++)
        {
            byte[] message = await far.ReadBytesAsync((i * 1_000) + 1 + (i * 15_000)).AsTask().WaitAsync(Limit);
            Assert.Equal(-1, message.AsSpan().IndexOfAnyExcept((byte)i));
            files.CheckAndClose(i, Take(far));
        }

        await writes;
        near.Close();
        far.Close();
    });

    [Fact]
    public void A_receiver_that_takes_nothing_is_closed_at_its_limit() => Run(async () =>
    {
        (UnixIOStream near, UnixIOStream far) = UnixIOStream.CreatePair();
        far.MaxReceivedHandles = 5;
        using Files files = new(3);
        await near.WriteAsync("one"u8.ToArray(), files[..]);
        Assert.Equal("one"u8.ToArray(), await far.ReadBytesAsync(3));
        await near.WriteAsync("two"u8.ToArray(), files[..]);
        StreamClosedException full = await Assert.ThrowsAsync<StreamClosedException>(() => far.ReadBytesAsync(3).AsTask().WaitAsync(Limit));
        Assert.IsType<StreamBufferFullException>(full.InnerException);
        Assert.Equal(3, far.ReceivedHandleCount);
        files.CheckAndClose(0, Take(far));
        far.Dispose();
        Assert.Equal(0, far.ReceivedHandleCount);
        near.Close();
    });

    [Fact]
    public void Handles_are_taken_after_a_close_by_the_peer_and_closed_by_ones_own() => Run(async () =>
    {
        (UnixIOStream near, UnixIOStream far) = UnixIOStream.CreatePair();
        using Files files = new(4);
        await near.WriteAsync("last"u8.ToArray(), files[..]);
        await near.CloseAsync(TimeSpan.Zero);
        Assert.Equal("last"u8.ToArray(), await far.ReadUntilCloseAsync());
        Assert.True(far.IsClosed);
        files.CheckAndClose(0, Take(far));
        await far.CloseAsync();
        Assert.False(far.TryTakeHandle(out _));
    });

    [Fact]
    public void A_close_releases_handles_that_were_not_sent_or_not_received()
    {
        ExpectUnsent();
        Run(async () =>
        {
            (UnixIOStream near, UnixIOStream far) = UnixIOStream.CreatePair();
            using Files files = new(2);
            await near.WriteAsync("arrives"u8.ToArray(), files[..1]);
            await Turn();
            near.Write(new byte[1_000_000]);
            Task unsent = near.WriteAsync("never sent"u8.ToArray(), files[1..]).AsTask();
            near.Close();
            await Assert.ThrowsAsync<StreamClosedException>(() => unsent);
            Assert.ThrowsAny<Exception>(() => near.WriteAsync("refused"u8.ToArray(), files[..]).GetAwaiter().GetResult());
            far.Close();
        });
        // The test's end finds whatever is still held.
    }

    [Fact]
    public void An_orderly_close_drops_what_still_arrives() => Run(async () =>
    {
        (UnixIOStream near, UnixIOStream far) = UnixIOStream.CreatePair();
        using Files files = new(2);
        Task close = far.CloseAsync().AsTask();
        await near.WriteAsync("late"u8.ToArray(), files[..]);
        await near.CloseAsync();
        await close;
        Assert.Equal(0, far.ReceivedHandleCount);
    });

    [Fact]
    public void Without_a_free_descriptor_the_stream_closes_with_an_error_and_nothing_is_left()
    {
        ExpectLog("closed: Error");
        Run(async () =>
        {
            (UnixIOStream near, UnixIOStream far) = UnixIOStream.CreatePair();
            using Files files = new(6);
            await near.WriteAsync("x"u8.ToArray(), files[..]);
            await Turn();
            Task<byte[]> read;
            using (DescriptorLimit.LeaveFree(2)) read = far.ReadBytesAsync(1).AsTask();
            StreamClosedException lost = await Assert.ThrowsAsync<StreamClosedException>(() => read.WaitAsync(Limit));
            Assert.Contains("too many open files", lost.InnerException!.Message, StringComparison.Ordinal);
            far.Close();
            near.Close();
        });
    }

    [Fact]
    public void All_of_it_works_off_the_loop_and_keeps_its_order() => Run(() => Task.Run(async () =>
    {
        (UnixIOStream near, UnixIOStream far) = UnixIOStream.CreatePair(null, Loop);
        using Files files = new(1);
        for (int i = 0; i < 100; i++)
        {
            await near.WriteAsync(Encoding.ASCII.GetBytes($"{i} "));
            await near.WriteAsync("with\n"u8.ToArray(), files[..]);
            await near.WriteAsync(Encoding.ASCII.GetBytes($"after {i}\n"));
        }

        for (int i = 0; i < 100; i++)
        {
            Assert.Equal($"{i} with", await far.ReadLineAsync());
            files.CheckAndClose(0, Take(far));
            Assert.Equal($"after {i}", await far.ReadLineAsync());
        }

        near.Close();
        far.Close();
    }));

    [Fact]
    public void What_another_thread_has_written_before_goes_before_the_handles() => Run(async () =>
    {
        (Descriptor first, Descriptor second) = Sockets.CreatePair();
        using UnixIOStream near = new(new Socket(first.ToSocketHandle()));
        using Files files = new(1);
        // Not taken by the loop before the write below, since this holds it. A thread, since a wait for a task may run that here.
        Thread other = new(() => { _ = near.WriteAsync("a"u8); });
        other.Start();
        other.Join();
        await near.WriteAsync("b"u8.ToArray(), files[..]);
        await near.FlushAsync();
        byte[] buffer = new byte[1];
        Assert.Equal(1, DescriptorMessages.Receive(second, buffer, out int[] descriptors, out _).Value);
        Assert.Equal(("a", 0), (Encoding.ASCII.GetString(buffer), descriptors.Length));
        Assert.Equal(1, DescriptorMessages.Receive(second, buffer, out descriptors, out _).Value);
        Assert.Equal(("b", 1), (Encoding.ASCII.GetString(buffer), descriptors.Length));
        files.CheckAndClose(0, new SafeFileHandle(descriptors[0], ownsHandle: true));
        FileDescriptors.Close(second);
    });

    [Fact]
    public void Handles_come_beside_a_platform_stream_too() => Run(async () =>
    {
        (UnixIOStream near, UnixIOStream far) = UnixIOStream.CreatePair();
        using Files files = new(1);
        await near.WriteAsync("x"u8.ToArray(), files[..]);
        await using Stream stream = far.AsStream();
        Assert.Equal(1, await stream.ReadAsync(new byte[10]));
        files.CheckAndClose(0, Take(far));
        near.Close();
    });

    [Fact]
    public void Only_a_unix_socket_passes_handles() => Run(() =>
    {
        using Socket tcp = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.Equal("socket", Assert.Throws<ArgumentException>(() => new UnixIOStream(tcp)).ParamName);
        using IOStream plain = new(tcp);
        Assert.Equal("plain", Assert.Throws<ArgumentException>(() => new UnixIOStream(plain)).ParamName);
        Assert.Throws<ArgumentNullException>(() => new UnixIOStream((IOStream)null!));
        Assert.Throws<ArgumentException>(() => { _ = UnixIOStream.ConnectAsync(""); });
        return Task.CompletedTask;
    });

    private static SafeFileHandle Take(UnixIOStream stream)
    {
        Assert.True(stream.TryTakeHandle(out SafeFileHandle? handle));
        return handle;
    }

    private static (PipeIOStream Reader, SafeFileHandle Writer) Pipe()
    {
        (Descriptor reader, Descriptor writer) = FileDescriptors.CreatePipe();
        return (new PipeIOStream(reader.Number), new SafeFileHandle(writer.Number, ownsHandle: true));
    }

    /// <summary>Pipes, whose write ends are handles that can be distinguished.</summary>
    private sealed class Files : IDisposable
    {
        private readonly SafeFileHandle[] _writers;
        private readonly Descriptor[] _readers;

        internal Files(int count)
        {
            (Descriptor Reader, Descriptor Writer)[] pipes = [.. Enumerable.Range(0, count).Select(static _ => FileDescriptors.CreatePipe())];
            _writers = [.. pipes.Select(static pipe => new SafeFileHandle(pipe.Writer.Number, ownsHandle: true))];
            _readers = [.. pipes.Select(static pipe => pipe.Reader)];
        }

        internal SafeHandle this[int index] => _writers[index];

        internal SafeHandle[] this[Range range] => [.. _writers[range]];

        internal void CheckAndClose(int index, SafeFileHandle handle)
        {
            Assert.Equal(FileDescriptors.Identify(Descriptor.Of(_writers[index])), FileDescriptors.Identify(Descriptor.Of(handle)));
            handle.Dispose();
        }

        public void Dispose()
        {
            foreach (SafeFileHandle writer in _writers) writer.Dispose();
            foreach (Descriptor reader in _readers) FileDescriptors.Close(reader);
        }
    }
}
