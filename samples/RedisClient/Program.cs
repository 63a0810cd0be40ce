using System.CommandLine;
using System.Diagnostics;
using System.Net;
using System.Text;
using RedisClient;
using Waterspout;

Option<string?> host = new("--host") { Description = "A Redis server; by default one that this program starts for itself." };
Option<int> port = new("--port") { Description = "Its port.", DefaultValueFactory = _ => 6379 };
Option<int> callers = new("--callers") { Description = "How many callers share the connection.", DefaultValueFactory = _ => 64 };
Option<int> commands = new("--commands") { Description = "How many commands each of them sends.", DefaultValueFactory = _ => 300 };
RootCommand command = new("Many callers on the thread pool share one connection to a Redis server.") { host, port, callers, commands };
command.SetAction(async (arguments, stopping) =>
{
    await using TcpServer server = new(new RespServer().ServeAsync);
    IPEndPoint own = (IPEndPoint)server.Listen(0, "127.0.0.1");
    bool isOwn = arguments.GetValue(host) is null;
    await using RespClient client = new(await IOStream.ConnectAsync(
        isOwn ? "127.0.0.1" : arguments.GetValue(host)!, isOwn ? own.Port : arguments.GetValue(port), cancellationToken: stopping));
    return await RunAsync(client, arguments.GetValue(callers), arguments.GetValue(commands));
});
return await command.Parse(args).InvokeAsync();

static async Task<int> RunAsync(RespClient client, int callers, int commands)
{
    string key = $"waterspout:{Guid.NewGuid()}";
    await client.CallAsync("SET", key, "0");
    Stopwatch watch = Stopwatch.StartNew();
    await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(() => CountAsync(client, key, commands))));
    TimeSpan elapsed = watch.Elapsed;

    string total = await client.CallAsync("GET", key) is byte[] value ? Encoding.UTF8.GetString(value) : "nothing";
    Console.WriteLine($"{callers} callers have sent {callers * commands} commands over one connection: {elapsed.TotalMicroseconds / callers / commands:F1} us each.");
    Console.WriteLine($"The counter is {total}.");
    await PrintErrorAsync(client, key);
    return total == $"{callers * commands}" ? 0 : 1;
}

static async Task CountAsync(RespClient client, string key, int commands)
{
    for (int i = 0; i < commands; i++) await client.CallAsync("INCR", key);
}

static async Task PrintErrorAsync(RespClient client, string key)
{
    try
    {
        await client.CallAsync("SET", key, "no number");
        await client.CallAsync("INCR", key);
    }
    catch (RespException error)
    {
        Console.WriteLine($"An error is one caller's: {error.Message}");
    }

    await client.CallAsync("DEL", key);
}
