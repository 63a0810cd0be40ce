using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Waterspout.Interop.Tests;

/// <summary>The RedisClient sample: many callers share one connection.</summary>
public sealed class RedisClientTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("waterspout-redis-").FullName;

    [Fact]
    public async Task Callers_share_a_connection_to_its_own_server() => AssertCounted(await Child.RunAsync(Repository.Sample("RedisClient")));

    [Fact]
    public async Task Callers_share_a_connection_to_Redis()
    {
        string port = $"{Nginx.FindFreePort()}";
        using Child server = Child.Start(
            Tool.Require("redis-server"), "--port", port, "--bind", "127.0.0.1", "--dir", _folder, "--save", "", "--appendonly", "no");
        while (await server.ReadLineAsync() is { } line && !line.Contains("eady to accept connections", StringComparison.Ordinal))
        {
        }

        AssertCounted(await Child.RunAsync(Repository.Sample("RedisClient"), "--host", "127.0.0.1", "--port", port));
    }

    [Theory]
    [InlineData("hello\r\n", "no value of the Redis protocol")]
    [InlineData(":12x\r\n", "'12x' is no number")]
    [InlineData("$999999999999\r\n", "too long")]
    [InlineData("$10\r\nhello", "closed")]
    public async Task A_server_that_breaks_the_protocol_fails_the_callers(string answer, string error)
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        string port = $"{((IPEndPoint)listener.LocalEndpoint).Port}";
        using Child client = Child.Start(Repository.Sample("RedisClient"), "--host", "127.0.0.1", "--port", port);
        using (Socket connection = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken))
        {
            await connection.ReceiveAsync(new byte[4096]);
            await connection.SendAsync(Encoding.ASCII.GetBytes(answer));
            connection.Shutdown(SocketShutdown.Send);
            Child.Outcome outcome = await client.FinishAsync([]);
            Assert.NotEqual(0, outcome.ExitCode);
            Assert.Contains(error, outcome.Errors);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static void AssertCounted(Child.Outcome outcome)
    {
        Assert.Equal("", outcome.Errors);
        string printed = Encoding.UTF8.GetString(outcome.Output);
        Assert.Contains("The counter is 19200.\n", printed);
        Assert.Contains("An error is one caller's: ERR value is not an integer or out of range\n", printed);
        Assert.Equal(0, outcome.ExitCode);
    }
}
