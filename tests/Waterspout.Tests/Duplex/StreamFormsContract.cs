namespace Waterspout.Tests.Duplex;

/// <summary>Every form of reading and writing that <see cref="Stream"/> has does the same.</summary>
[Contract(Aspects.Duplex)]
public sealed class StreamFormsContract : StreamTest
{
    [Theory, MemberData(nameof(Forms))]
    public void Data_of_any_size_is_read_whole(string form) => RunStream(async (left, stream) =>
    {
        foreach (int size in (int[])[1, 42, 10_000, 300_000])
        {
            byte[] data = RandomBytes(new Random(size), size);
            byte[] read = new byte[size + 2];
            Task writing = left.WriteAsync(data.AsMemory()).AsTask();
            for (int at = 0, count; at < size; at += count)
            {
                count = await Read(stream, form, read, at + 1, size - at);
                Assert.InRange(count, 1, size - at);
            }

            AssertSame(data, read.AsMemory(1, size));
            Assert.Equal(0, read[0] + read[^1]);
            await writing;
        }
    });

    [Theory, MemberData(nameof(Forms))]
    public void Data_of_any_size_is_written_whole(string form) => RunStream(async (left, stream) =>
    {
        foreach (int size in (int[])[1, 42, 10_000, 300_000])
        {
            byte[] data = RandomBytes(new Random(size), size + 2);
            ValueTask<byte[]> reading = left.ReadBytesAsync(size);
            await Write(stream, form, data, 1, size);
            await Write(stream, form, data, 1, 0); // writes nothing
            AssertSame(data.AsMemory(1, size), await reading);
        }
    });

    [Theory, MemberData(nameof(Forms))]
    public void The_end_is_zero_after_the_data_and_again_and_again(string form) => RunStream(async (left, stream) =>
    {
        Task closing = Task.Run(() => WriteAndClose(left, "ab"));
        byte[] target = new byte[10];
        int read = 0;
        for (int count; (count = await Read(stream, form, target, read, 10 - read)) > 0;) read += count;
        Assert.Equal("ab", Text(target.AsSpan(0, read)));
        for (int i = 0; i < 3; i++) Assert.Equal(0, await Read(stream, form, target, 0, 10));
        Assert.Equal(0, await Read(stream, form, target, 0, 0));
        Assert.Equal(-1, stream.ReadByte());
        await stream.DisposeAsync();
        await closing;
    });

    [Theory, MemberData(nameof(Forms))]
    public void A_read_of_zero_bytes_waits_for_data_and_takes_none(string form) => RunStream(async (left, stream) =>
    {
        for (int i = 0; i < 3; i++)
        {
            Task<int> waiting = Task.Run(() => Read(stream, form, [], 0, 0));
            Task<int> again = waiting.ContinueWith(_ => Read(stream, form, [], 0, 0), TaskScheduler.Default).Unwrap();
            Assert.False(waiting.IsCompleted);
            await left.WriteAsync("ab"u8);
            Assert.Equal(0, await waiting);
            Assert.Equal(0, await again);
            Assert.Equal("ab", await ReadText(stream, 2));
        }
    });

    [Theory, MemberData(nameof(Forms))]
    public void A_short_message_is_read_without_waiting_for_more(string form) => RunStream(async (left, stream) =>
    {
        await left.WriteAsync("x"u8);
        byte[] target = new byte[100_000];
        Assert.Equal(1, await Read(stream, form, target, 0, target.Length));
        await left.WriteAsync("y"u8);
        Assert.Equal('y', stream.ReadByte());
        stream.WriteByte((byte)'z');
        await AssertReads("z", left.ReadBytesAsync(1));
    });

    [Fact]
    public void Both_directions_carry_data_at_once() => RunStream(async (left, stream) =>
    {
        byte[] there = RandomBytes(new Random(1), 2_000_000);
        byte[] back = RandomBytes(new Random(2), 2_000_000);
        byte[] read = new byte[there.Length];
        ValueTask<byte[]> readingBack = left.ReadBytesAsync(back.Length);
        Task writing = left.WriteAsync(there.AsMemory()).AsTask();
        Task writingBack = Task.Run(async () =>
        {
            Random random = new(3);
            for (int at = 0, count; at < back.Length; at += count)
            {
                count = Math.Min(random.Next(1, 30_000), back.Length - at);
                await stream.WriteAsync(back.AsMemory(at, count));
            }
        });
        await stream.ReadExactlyAsync(read);
        await Task.WhenAll(writing, writingBack);
        AssertSame(there, read);
        AssertSame(back, await readingBack);
    });

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1_000_000)]
    public void A_stream_is_copied_to_its_end(int size) => RunStream(async (left, stream) =>
    {
        byte[] data = RandomBytes(new Random(size), size);
        Task writing = Task.Run(async () =>
        {
            await left.WriteAsync(data.AsMemory());
            await left.CloseAsync();
        });
        using MemoryStream target = new();
        if (size % 2 == 0) await stream.CopyToAsync(target, 5000);
        else stream.CopyTo(target);
        AssertSame(data, target.ToArray());
        await stream.DisposeAsync();
        await writing;
    });

    [Fact]
    public void Text_is_read_and_written_by_a_reader_and_a_writer() => RunStream(async (left, stream) =>
    {
        using StreamReader reader = new(stream, leaveOpen: true);
        await using StreamWriter writer = new(stream, leaveOpen: true) { NewLine = "\n" };
        for (int i = 0; i < 100; i++)
        {
            await left.WriteAsync(Bytes($"request {i}\nrest"));
            Assert.Equal($"{(i == 0 ? "" : "rest")}request {i}", await reader.ReadLineAsync());
            await writer.WriteLineAsync($"answer {i}");
            await writer.FlushAsync();
            Assert.Equal($"answer {i}\n", Text(await left.ReadUntilAsync("\n"u8)));
        }
    });
}
