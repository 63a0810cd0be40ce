using System.Net.Sockets;
using System.Text;
using Waterspout.Testing;

namespace Waterspout.Tests;

[OnEachPoller]
public sealed class FaultyStreamTests : LoopTest
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public void Short_receives_are_reassembled(int bytes) => Run(async () =>
    {
        (FaultyIOStream stream, IOStream peer) = StreamPair.CreateFaulty();
        stream.Receives.BytesPerCall = bytes;
        await peer.WriteAsync("first line\nsecond line\n"u8);
        Assert.Equal("first line\n", Encoding.ASCII.GetString(await stream.ReadUntilAsync("\n"u8)));
        Assert.Equal("second line\n", Encoding.ASCII.GetString(await stream.ReadUntilAsync("\n"u8)));
        Assert.Equal(23, stream.Receives.Bytes);
        Assert.True(stream.Receives.Calls >= 23 / bytes);
    });

    [Fact]
    public void Receives_that_block_come_again() => Run(async () =>
    {
        (FaultyIOStream stream, IOStream peer) = StreamPair.CreateFaulty();
        stream.Receives.Block(5);
        await peer.WriteAsync("late"u8);
        Assert.Equal("late", Encoding.ASCII.GetString(await stream.ReadBytesAsync(4)));
        Assert.True(stream.Receives.Calls > 5);
    });

    [Theory]
    [InlineData(1)]
    [InlineData(1_000)]
    public void Short_sends_are_continued(int bytes) => Run(async () =>
    {
        (FaultyIOStream stream, IOStream peer) = StreamPair.CreateFaulty();
        stream.Sends.BytesPerCall = bytes;
        stream.Sends.Block(3);
        byte[] data = new byte[bytes * 50];
        new Random(1).NextBytes(data);
        Task write = stream.WriteAsync(data).AsTask();
        Task flush = stream.FlushAsync().AsTask();
        Assert.Equal(data, await peer.ReadBytesAsync(data.Length));
        await Task.WhenAll(write, flush);
        Assert.True(stream.Sends.Calls >= 53);
    });

    [Fact]
    public void Data_in_several_pieces_leaves_in_order() => Run(async () =>
    {
        (FaultyIOStream stream, IOStream peer) = StreamPair.CreateFaulty();
        byte[] data = new byte[100_000];
        new Random(1).NextBytes(data);
        Task[] writes = [.. Enumerable.Range(0, 10).Select(i => stream.WriteAsync(data.AsMemory(i * 10_000, 10_000)).AsTask())];
        Assert.Equal(data, await peer.ReadBytesAsync(data.Length));
        await Task.WhenAll(writes);
    });

    [Fact]
    public void A_receive_that_fails_closes_the_stream_and_keeps_what_had_arrived() => Run(async () =>
    {
        (FaultyIOStream stream, IOStream peer) = StreamPair.CreateFaulty();
        stream.Receives.BytesPerCall = 5;
        stream.Receives.FailAt(2, new SocketException((int)SocketError.ConnectionReset));
        await peer.WriteAsync("begun and never ended"u8);
        await Assert.ThrowsAsync<StreamClosedException>(async () => await stream.ReadUntilAsync("\n"u8));
        Assert.Equal(CloseReason.Reset, stream.CloseReason);
        Assert.Equal("begun", Encoding.ASCII.GetString(await stream.ReadBytesAsync(5)));
    });

    [Fact]
    public void A_send_that_fails_fails_the_flush() => Run(async () =>
    {
        (FaultyIOStream stream, IOStream _) = StreamPair.CreateFaulty();
        SocketException error = new((int)SocketError.TimedOut);
        stream.Sends.FailAt(1, error);
        await stream.WriteAsync("x"u8);
        StreamClosedException closed = await Assert.ThrowsAsync<StreamClosedException>(async () => await stream.FlushAsync());
        Assert.Same(error, closed.InnerException);
    });

    [Fact]
    public void Receives_that_are_cut_off_see_the_end() => Run(async () =>
    {
        (FaultyIOStream stream, IOStream peer) = StreamPair.CreateFaulty();
        stream.Receives.CutAfter(4);
        await peer.WriteAsync("only this is cut"u8);
        Assert.Equal("only", Encoding.ASCII.GetString(await stream.ReadUntilCloseAsync()));
    });

    [Fact]
    public void Receives_can_be_cut_off_while_a_read_waits() => Run(async () =>
    {
        (FaultyIOStream stream, IOStream _) = StreamPair.CreateFaulty();
        Task<byte[]> read = stream.ReadUntilCloseAsync().AsTask();
        await Task.Yield();
        stream.Receives.CutAfter(0);
        Assert.Empty(await read);
    });

    [Fact]
    public void Sends_that_are_cut_off_are_a_reset() => Run(async () =>
    {
        (FaultyIOStream stream, IOStream peer) = StreamPair.CreateFaulty();
        stream.Sends.CutAfter(3);
        await stream.WriteAsync("abcdef"u8);
        Assert.Equal("abc", Encoding.ASCII.GetString(await peer.ReadUntilCloseAsync()));
        Assert.Equal(CloseReason.Reset, stream.CloseReason);
    });

    [Fact]
    public void A_script_refuses_what_makes_no_sense()
    {
        FaultScript script = new();
        Assert.Throws<ArgumentOutOfRangeException>(() => script.BytesPerCall = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => script.Block(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => script.CutAfter(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => script.FailAt(0, new IOException()));
    }
}
