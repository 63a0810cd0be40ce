namespace Waterspout.Interop.Tests;

/// <summary>The system calls of the EchoServer sample, once its connections are open. Counted, not timed.</summary>
public sealed class EchoServerCostTests
{
    private const int Connections = 64;
    private const int Rounds = 50;
    private const int Messages = Connections * Rounds;

    private static readonly byte[] s_line = [.. Enumerable.Repeat((byte)'x', 63), (byte)'\n'];

    [Fact]
    public void A_message_is_one_receive_and_one_send_and_a_share_of_a_wait() => TestLoop.Run(async () =>
    {
        using EchoServer server = await EchoServer.StartAsync();
        IOStream[] streams = await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => server.ConnectAsync()));
        for (int i = 0; i < 10; i++) await PlayRoundAsync(server, streams);

        using SystemCalls calls = await SystemCalls.AttachAsync(server.Process.Id);
        for (int i = 0; i < Rounds; i++) await PlayRoundAsync(server, streams);
        await calls.DetachAsync();

        // Calls beyond two per message are the runtime's own: it passes signals on through a pipe, and gets one each round.
        int transfers = calls.Of("recvfrom", "recvmsg", "read", "readv", "sendto", "sendmsg", "write", "writev");
        Assert.True(transfers is >= 2 * Messages and <= (int)(2.1 * Messages), $"receives and sends of {Messages} messages: {calls}");
        Assert.Equal(0, calls.Counts.GetValueOrDefault("recvfrom").Errors);
        Assert.Equal(0, calls.Of("epoll_ctl"));
        // A Debug build takes 8 events at a time, so the least is an eighth. A wait for each message would be more than one.
        int waits = calls.Of("epoll_wait", "epoll_pwait", "epoll_pwait2");
        Assert.True(waits <= Messages / 2, $"waits of {Messages} messages: {calls}");
        foreach (IOStream stream in streams) stream.Close();
    });

    // The server is stopped while the lines are sent, so that it finds all of them at once, however fast or slow either side is.
    private static async Task PlayRoundAsync(EchoServer server, IOStream[] streams)
    {
        await server.Process.SignalAsync("STOP");
        foreach (IOStream stream in streams)
        {
            await stream.WriteAsync(s_line);
            await stream.FlushAsync();
        }

        await server.Process.SignalAsync("CONT");
        foreach (IOStream stream in streams) Assert.Equal(s_line, await stream.ReadUntilAsync("\n"u8));
    }
}
