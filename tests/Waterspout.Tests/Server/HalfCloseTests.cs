using System.Net;
using System.Text;
using Waterspout.Tests.Tls;

namespace Waterspout.Tests;

/// <summary>Clients that send EOF after their last request: they get their answers, and handlers still end.</summary>
[OnEachPoller]
public sealed class HalfCloseTests : LoopTest
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void A_client_that_ends_its_side_gets_every_answer_however_long_that_takes(bool isTls, bool hasOptions) => Run(async () =>
    {
        TaskCompletionSource ended = new();
        TcpServerOptions options = Options(isTls);
        if (hasOptions) options.Stream = new IOStreamOptions { ReadChunkSize = 1000 };
        await using TcpServer server = new(async stream =>
        {
            while (true)
            {
                byte[] line = await stream.ReadUntilAsync("\n"u8);
                await ended.Task;
                await Turns(2);
                await stream.WriteAsync(line);
            }
        }, options);
        await using IOStream client = await ConnectAsync(server, isTls);
        await client.WriteAsync("one\ntwo\n"u8);
        await client.CompleteWritesAsync();
        await Turns(5);
        ended.SetResult();
        Assert.Equal("one\ntwo\n", Encoding.ASCII.GetString(await client.ReadUntilCloseAsync()));
        await WhenEmpty(server);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_handler_that_waits_in_a_read_ends_with_the_peers_side(bool isTls) => Run(async () =>
    {
        CloseReason reason = CloseReason.None;
        await using TcpServer server = new(async stream =>
        {
            try
            {
                await stream.ReadUntilAsync("\n"u8);
            }
            catch (StreamClosedException closed)
            {
                reason = closed.Reason;
            }
        }, Options(isTls));
        await using IOStream client = await ConnectAsync(server, isTls);
        await client.WriteAsync("unfinished"u8);
        await client.CompleteWritesAsync();
        Assert.Empty(await client.ReadUntilCloseAsync());
        await WhenEmpty(server);
        Assert.Equal(CloseReason.EndOfStream, reason);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_handler_in_callbacks_is_notified_by_the_close_callback(bool isTls) => Run(async () =>
    {
        await using TcpServer server = new(stream =>
        {
            TaskCompletionSource closed = new();
            stream.SetCloseCallback(closed.SetResult);
            stream.ReadUntil("\n"u8, Answer);
            return closed.Task;

            void Answer(byte[] line)
            {
                stream.Write(line);
                stream.ReadUntil("\n"u8, Answer);
            }
        }, Options(isTls));
        await using IOStream client = await ConnectAsync(server, isTls);
        await client.WriteAsync("one\ntwo\n"u8);
        await client.CompleteWritesAsync();
        Assert.Equal("one\ntwo\n", Encoding.ASCII.GetString(await client.ReadUntilCloseAsync()));
        await WhenEmpty(server);
    });

    [Fact]
    public void A_server_may_close_with_the_peers_side() => Run(async () =>
    {
        TaskCompletionSource<CloseReason> reason = new();
        await using TcpServer server = new(async stream =>
        {
            await stream.ReadUntilAsync("\n"u8);
            stream.SetCloseCallback(() => reason.SetResult(stream.CloseReason));
            await reason.Task;
        }, new TcpServerOptions { Stream = new IOStreamOptions { AllowHalfOpen = false } });
        await using IOStream client = await ConnectAsync(server, isTls: false);
        await client.WriteAsync("one\n"u8);
        await client.CompleteWritesAsync();
        Assert.Equal(CloseReason.EndOfStream, await reason.Task);
    });

    private static TcpServerOptions Options(bool isTls) => new() { Ssl = isTls ? TestCertificates.ServerOptions() : null };

    private static async Task<IOStream> ConnectAsync(TcpServer server, bool isTls)
    {
        int port = ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port;
        if (!isTls) return await IOStream.ConnectAsync("127.0.0.1", port);
        return await SslIOStream.ConnectAsync("127.0.0.1", port, TestCertificates.ClientOptions());
    }

    private async Task WhenEmpty(TcpServer server)
    {
        while (server.ConnectionCount > 0) await Turn();
    }
}
