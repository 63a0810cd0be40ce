using System.Net.Sockets;
using System.Text;

namespace Waterspout.Interop.Tests;

/// <summary>A protocol client in a few lines, against a real server.</summary>
public sealed class RedisTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("waterspout-redis-").FullName;

    [Fact]
    public void Sets_gets_and_pipelines() => TestLoop.Run(async () =>
    {
        string path = Path.Combine(_folder, "socket");
        using Child server = Child.Start(Tool.Require("redis-server"), "--port", "0", "--unixsocket", path, "--dir", _folder, "--save", "", "--appendonly", "no");
        while (await server.ReadLineAsync() is { } line && !line.Contains($"ready to accept connections at {path}", StringComparison.Ordinal))
        {
        }

        using IOStream redis = new(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
        await redis.ConnectAsync(new UnixDomainSocketEndPoint(path));

        string value = string.Concat(Enumerable.Repeat("any bytes\r\nat all ", 100_000));
        Assert.Equal("+OK", await CallAsync(redis, "SET", "key", value));
        Assert.Equal(value, await CallAsync(redis, "GET", "key"));
        Assert.Null(await CallAsync(redis, "GET", "no such key"));
        Assert.StartsWith("-ERR", await CallAsync(redis, "NOSUCHCOMMAND"));

        for (int i = 0; i < 1000; i++) await redis.WriteAsync(Format("PING", $"{i}"));
        for (int i = 0; i < 1000; i++) Assert.Equal($"{i}", await ReadReplyAsync(redis));
    });

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task<string?> CallAsync(IOStream redis, params string[] command)
    {
        await redis.WriteAsync(Format(command));
        return await ReadReplyAsync(redis);
    }

    private static byte[] Format(params string[] command) =>
        Encoding.ASCII.GetBytes($"*{command.Length}\r\n{string.Concat(command.Select(word => $"${word.Length}\r\n{word}\r\n"))}");

    private static async Task<string?> ReadReplyAsync(IOStream redis)
    {
        string line = Encoding.ASCII.GetString(await redis.ReadUntilAsync("\r\n"u8)).TrimEnd();
        if (line[0] != '$') return line;
        int length = int.Parse(line[1..]);
        if (length < 0) return null;
        byte[] value = await redis.ReadBytesAsync(length + 2);
        return Encoding.ASCII.GetString(value, 0, length);
    }
}
