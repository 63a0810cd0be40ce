using Waterspout.Testing;

namespace Waterspout.Tests;

/// <summary>Events that a stream does not wait for do not keep the loop busy.</summary>
[OnEachPoller]
public sealed class SpinTests : LoopTest
{
    // A spinning loop makes thousands of turns in the time that these tests wait.
    private const int FewTurns = 100;

    [Fact]
    public void Unread_data_does_not_make_the_loop_spin() => Run(async () =>
    {
        (IOStream stream, IOStream peer) = StreamPair.CreateTcp();
        peer.Write(new byte[1024 * 1024]);
        Assert.InRange(await TurnsMeanwhile(), 0, FewTurns);
        Assert.False(stream.IsClosed);
        stream.Close();
        peer.Close();
    });

    [Fact]
    public void An_end_behind_unread_data_does_not_make_the_loop_spin() => Run(async () =>
    {
        (IOStream stream, IOStream peer) = StreamPair.CreateTcp();
        await peer.WriteAsync("unread"u8);
        await peer.FlushAsync();
        peer.Close();
        Assert.InRange(await TurnsMeanwhile(), 0, FewTurns);
        Assert.Equal(CloseReason.EndOfStream, stream.CloseReason);
        stream.Close();
    });

    [Fact]
    public void A_half_open_stream_at_its_end_does_not_make_the_loop_spin() => Run(async () =>
    {
        (IOStream stream, IOStream peer) = StreamPair.CreateTcp(new IOStreamOptions { AllowHalfOpen = true });
        await peer.CompleteWritesAsync();
        await Assert.ThrowsAsync<StreamClosedException>(async () => await stream.ReadBytesAsync(1));
        Assert.InRange(await TurnsMeanwhile(), 0, FewTurns);
        Assert.False(stream.IsClosed);
        stream.Close();
        peer.Close();
    });

    [Fact]
    public void A_closed_writer_does_not_make_the_loop_spin() => Run(async () =>
    {
        (PipeIOStream reader, PipeIOStream writer) = PipeIOStream.CreatePair(new IOStreamOptions { AllowHalfOpen = true });
        writer.Close();
        Assert.InRange(await TurnsMeanwhile(), 0, FewTurns);
        reader.Close();
    });

    [Fact]
    public void A_closed_writer_behind_unread_data_does_not_make_the_loop_spin() => Run(async () =>
    {
        (PipeIOStream reader, PipeIOStream writer) = PipeIOStream.CreatePair();
        await writer.WriteAsync("unread"u8);
        await writer.FlushAsync();
        writer.Close();
        Assert.InRange(await TurnsMeanwhile(), 0, FewTurns);
        Assert.Equal(6, (await reader.ReadUntilCloseAsync()).Length);
    });

    [Fact]
    public void A_pipe_whose_reader_does_not_read_does_not_make_the_loop_spin() => Run(async () =>
    {
        ExpectLog("bytes were written and not sent");
        (PipeIOStream reader, PipeIOStream writer) = PipeIOStream.CreatePair();
        writer.Write(new byte[1024 * 1024]);
        Assert.InRange(await TurnsMeanwhile(), 0, FewTurns);
        Assert.True(writer.IsWriting);
        writer.Close();
        reader.Close();
    });

    [Fact]
    public void A_socket_that_is_not_connected_yet_does_not_make_the_loop_spin() => Run(async () =>
    {
        using IOStream stream = new(new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp));
        stream.SetCloseCallback(() => { });
        Assert.InRange(await TurnsMeanwhile(), 0, FewTurns);
        Assert.False(stream.IsClosed);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_error_queue_is_no_end_and_does_not_make_the_loop_spin(bool isReading) => Run(async () =>
    {
        (IOStream stream, IOStream peer) = StreamPair.CreateTcp();
        Task<byte[]>? read = isReading ? stream.ReadBytesAsync(1).AsTask() : null;
        // Time stamps of sent data come through the error queue, which is never read here.
        stream.Socket.SetRawSocketOption(1, 37 /* SO_TIMESTAMPING */, BitConverter.GetBytes(2 | 16));
        await stream.WriteAsync("x"u8);
        await stream.FlushAsync();
        await peer.ReadBytesAsync(1);
        Assert.InRange(await TurnsMeanwhile(), 0, FewTurns);
        Assert.Equal(CloseReason.None, stream.CloseReason);
        Assert.False(stream.Closed.IsCancellationRequested);

        await peer.WriteAsync("y"u8);
        Assert.Equal("y"u8.ToArray(), await (read ?? stream.ReadBytesAsync(1).AsTask()));
        TaskCompletionSource ended = new();
        stream.Closed.Register(ended.SetResult);
        peer.Close();
        await ended.Task;
        stream.Close();
    });

    private async Task<long> TurnsMeanwhile()
    {
        long before = Loop.Counters.Turns;
        TaskCompletionSource later = new();
        Loop.CallLater(TimeSpan.FromMilliseconds(20), later.SetResult);
        await later.Task;
        return Loop.Counters.Turns - before;
    }
}
