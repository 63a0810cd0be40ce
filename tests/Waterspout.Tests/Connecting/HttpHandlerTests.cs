using System.Text;

namespace Waterspout.Tests;

[OnEachPoller]
public sealed class HttpHandlerTests : LoopTest
{
    private static readonly byte[] s_end = "\r\n\r\n"u8.ToArray();

    [Fact]
    public void An_HTTP_client_gets_its_connections_from_the_loop_that_it_is_given() => Run(async () =>
    {
        await using StreamListener listener = new(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        Task<string> answer = Task.Run(async () =>
        {
            int count = 0;
            IOStreamOptions options = new() { ConfigureSocket = _ => Assert.True(Loop.IsCurrent && ++count == 1) };
            using HttpClient client = new(new SocketsHttpHandler().UseWaterspout(options, Loop));
            return await client.GetStringAsync($"http://{listener.LocalEndPoint}/first") + await client.GetStringAsync($"http://{listener.LocalEndPoint}/second");
        });
        await using IOStream server = await listener.AcceptAsync();
        foreach (string path in (string[])["first", "second"])
        {
            Assert.StartsWith($"GET /{path} ", Encoding.ASCII.GetString(await server.ReadUntilAsync(s_end)));
            await server.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Length: {path.Length}\r\n\r\n{path}");
        }

        Assert.Equal("firstsecond", await answer);
        Assert.Empty(await server.ReadUntilCloseAsync());
    });

    [Fact]
    public void A_refused_connection_is_the_clients_own_error() => Run(async () =>
    {
        int port = TestListener.UnusedPort();
        using HttpClient client = new(new SocketsHttpHandler().UseWaterspout(loop: Loop));
        HttpRequestException error = await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync($"http://127.0.0.1:{port}/"));
        Assert.IsType<StreamClosedException>(error.InnerException);
    });

    [Fact]
    public void What_is_wrong_with_the_call_is_thrown_by_it()
    {
        using SocketsHttpHandler handler = new();
        Assert.Throws<ArgumentNullException>(static () => SocketsHttpHandlerExtensions.UseWaterspout(null!));
        Assert.Throws<ArgumentOutOfRangeException>(() => handler.UseWaterspout(new IOStreamOptions { ReadChunkSize = 0 }));
        Assert.Null(handler.ConnectCallback);
    }
}
