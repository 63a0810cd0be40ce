using System.Text;
using Waterspout.Interop;

namespace Waterspout.Tests;

/// <summary>Files as standard streams: what no poller takes is read and written on the thread pool.</summary>
[OnEachPoller]
public sealed class FileTests : LoopTest
{
    [Fact]
    public void A_file_is_read_to_its_end() => Run(async () =>
    {
        byte[] data = Data(300_001);
        using TemporaryFile file = new(data);
        PipeIOStream input = Open(file, LibC.O_RDONLY);
        Assert.Equal(data[..10], await input.ReadBytesAsync(10));
        Assert.Equal(data[10..200_000], await input.ReadBytesAsync(199_990));
        Assert.Equal(data[200_000..], await input.ReadUntilCloseAsync());
        Assert.Equal(CloseReason.EndOfStream, input.CloseReason);
    });

    [Fact]
    public void Every_kind_of_read_works_on_a_file() => Run(async () =>
    {
        using TemporaryFile file = new("one\ntwo\r\nthree|four five"u8.ToArray());
        using PipeIOStream input = Open(file, LibC.O_RDONLY);
        Assert.Equal("one", await input.ReadLineAsync());
        Assert.Equal("two", await input.ReadLineAsync());
        Assert.Equal("thr"u8.ToArray(), (await input.PeekAsync(3)).ToArray());
        Assert.Equal("three|"u8.ToArray(), await input.ReadUntilAsync("|"u8));
        Assert.Equal("four "u8.ToArray(), await input.ReadUntilRegexAsync(" "));
        Assert.Equal("five"u8.ToArray(), await input.ReadUntilCloseAsync());
    });

    [Fact]
    public void Dev_null_is_at_its_end_and_takes_everything() => Run(async () =>
    {
        using PipeIOStream nothing = new(FileDescriptors.Open("/dev/null", LibC.O_RDWR), null, null, null, mayBeFile: true);
        byte[] data = Data(1_000_000);
        await nothing.WriteAsync(data.AsMemory());
        await nothing.FlushAsync();
        Assert.Empty(await nothing.ReadUntilCloseAsync());
    });

    [Fact]
    public void What_is_flushed_is_in_the_file_and_a_close_writes_the_rest() => Run(async () =>
    {
        using TemporaryFile file = new([]);
        byte[] data = Data(500_000);
        PipeIOStream output = Open(file, LibC.O_WRONLY);
        await output.WriteAsync(data.AsMemory(0, 200_000));
        await output.FlushAsync();
        Assert.Equal(data[..200_000], File.ReadAllBytes(file.Path));
        // Small and large pieces, of which the first is under way when the stream closes.
        for (int i = 200_000; i < 500_000; i += 20_000)
        {
            output.Write(data.AsSpan(i, 100));
            output.Write(data.AsSpan(i + 100, 19_900));
        }

        output.FlushWrites();
        output.Close();
        Assert.Equal(data, File.ReadAllBytes(file.Path));
    });

    [Fact]
    public void An_orderly_close_writes_everything() => Run(async () =>
    {
        using TemporaryFile file = new([]);
        byte[] data = Data(300_000);
        await using (PipeIOStream output = Open(file, LibC.O_WRONLY))
        {
            foreach (byte[] piece in data.Chunk(7_000)) output.Write(piece);
        }

        Assert.Equal(data, File.ReadAllBytes(file.Path));
    });

    [Fact]
    public void Reads_and_writes_are_at_the_position_that_other_holders_share() => Run(async () =>
    {
        using TemporaryFile file = new("header\nrest"u8.ToArray());
        Descriptor fd = FileDescriptors.Open(file.Path, LibC.O_RDWR);
        Descriptor other = FileDescriptors.Duplicate(fd);
        byte[] start = new byte[7];
        Assert.Equal(7, FileDescriptors.Read(other, start).Value);
        using (PipeIOStream input = new(fd, null, null, null, mayBeFile: true)) Assert.Equal("rest"u8.ToArray(), await input.ReadBytesAsync(4));
        KernelPeer.Write(other, "!");
        FileDescriptors.Close(other);
        Assert.Equal("header\nrest!", File.ReadAllText(file.Path));
    });

    [Fact]
    public void The_wrong_direction_fails_and_closes_the_stream()
    {
        ExpectUnsent();
        ExpectLog("closed: Error");
        Run(FailInBothDirectionsAsync);
    }

    private static async Task FailInBothDirectionsAsync()
    {
        using TemporaryFile file = new(Data(10));
        PipeIOStream input = Open(file, LibC.O_RDONLY);
        await input.WriteAsync("x"u8);
        StreamClosedException refused = await Assert.ThrowsAsync<StreamClosedException>(() => input.FlushAsync().AsTask().WaitAsync(Limit));
        Assert.Contains("EBADF", refused.InnerException!.Message, StringComparison.Ordinal);
        input.Close();
        PipeIOStream output = Open(file, LibC.O_WRONLY);
        refused = await Assert.ThrowsAsync<StreamClosedException>(() => output.ReadBytesAsync(1).AsTask().WaitAsync(Limit));
        Assert.Contains("EBADF", refused.InnerException!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_disk_that_is_full_fails_the_flush()
    {
        ExpectUnsent();
        ExpectLog("closed: Error");
        Run(FillAsync);
    }

    private static async Task FillAsync()
    {
        using PipeIOStream full = new(FileDescriptors.Open("/dev/full", LibC.O_WRONLY), null, null, null, mayBeFile: true);
        await full.WriteAsync("x"u8);
        StreamClosedException failed = await Assert.ThrowsAsync<StreamClosedException>(() => full.FlushAsync().AsTask().WaitAsync(Limit));
        Assert.Contains("ENOSPC", failed.InnerException!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cancelled_read_loses_nothing() => Run(async () =>
    {
        using TemporaryFile file = new("0123456789"u8.ToArray());
        using PipeIOStream input = Open(file, LibC.O_RDONLY);
        using CancellationTokenSource cancel = new();
        Task<byte[]> read = input.ReadBytesAsync(4, cancellationToken: cancel.Token).AsTask();
        cancel.Cancel();
        try
        {
            Assert.Equal("0123"u8.ToArray(), await read.WaitAsync(Limit));
            Assert.Equal("456789"u8.ToArray(), await input.ReadUntilCloseAsync());
        }
        catch (OperationCanceledException)
        {
            Assert.Equal("0123456789"u8.ToArray(), await input.ReadUntilCloseAsync());
        }
    });

    [Fact]
    public void A_close_while_a_call_is_under_way_closes_the_descriptor_once_it_has_ended() => Run(async () =>
    {
        using TemporaryFile file = new(Data(1_000_000));
        for (int i = 0; i < 50; i++)
        {
            PipeIOStream input = Open(file, LibC.O_RDONLY);
            Task<byte[]> read = input.ReadBytesAsync(500_000).AsTask();
            if (i % 2 == 0) await Turn();
            input.Close();
            await Assert.ThrowsAsync<StreamClosedException>(() => read);
        }
    });

    [Fact]
    public void The_descriptor_of_a_call_under_way_is_closed_when_that_has_ended() => Run(async () =>
    {
        // A pipe in blocking mode stands for a disk that takes its time.
        (Descriptor reader, Descriptor writer) = FileDescriptors.CreatePipe();
        FileDescriptors.SetStatusFlags(reader, 0);
        TaskCompletionSource closed = new();
        FileOnPool file = new(reader, static _ => { });
        Assert.Null(file.Read(new byte[10]));
        file.Close(() =>
        {
            FileDescriptors.Close(reader);
            closed.SetResult();
        });
        Assert.False(closed.Task.IsCompleted);
        KernelPeer.Write(writer, "x");
        await closed.Task.WaitAsync(Limit);
        FileDescriptors.Close(writer);
    });

    [Fact]
    public void A_file_is_used_from_any_thread_and_as_a_platform_stream() => Run(() => Task.Run(async () =>
    {
        using TemporaryFile file = new(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 10_000).Select(static i => $"{i}\n"))));
        PipeIOStream lines = new(FileDescriptors.Open(file.Path, LibC.O_RDONLY), null, null, Loop, mayBeFile: true);
        for (int i = 0; i < 5_000; i++) Assert.Equal($"{i}", await lines.ReadLineAsync());
        using StreamReader reader = new(lines.AsStream());
        for (int i = 5_000; i < 10_000; i++) Assert.Equal($"{i}", await reader.ReadLineAsync());
        Assert.Null(await reader.ReadLineAsync());
    }));

    private static PipeIOStream Open(TemporaryFile file, int flags) =>
        new(FileDescriptors.Open(file.Path, flags), null, null, null, mayBeFile: true);

    private static byte[] Data(int length)
    {
        byte[] data = new byte[length];
        new Random(length).NextBytes(data);
        return data;
    }

    private sealed class TemporaryFile : IDisposable
    {
        internal TemporaryFile(byte[] content) => File.WriteAllBytes(Path, content);

        internal string Path { get; } = System.IO.Path.GetTempFileName();

        public void Dispose() => File.Delete(Path);
    }
}
