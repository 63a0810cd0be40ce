using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;
using StackExchange.Redis.Configuration;

namespace Waterspout.Interop.Tests.Clients;

/// <summary>StackExchange.Redis over streams of ours, by its hook for tunnels, against redis-server.</summary>
public sealed class StackExchangeRedisTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("waterspout-redis-").FullName;

    [Fact]
    public async Task Values_pipelines_transactions_and_subscriptions()
    {
        string path = Path.Combine(_folder, "socket");
        using Child server = Child.Start(Tool.Require("redis-server"), "--port", "0", "--unixsocket", path, "--dir", _folder, "--save", "", "--appendonly", "no");
        while (await server.ReadLineAsync() is { } line && !line.Contains($"ready to accept connections at {path}", StringComparison.Ordinal))
        {
        }

        OurTunnel tunnel = new(path);
        ConfigurationOptions options = new() { EndPoints = { new DnsEndPoint("redis", 6379) }, Tunnel = tunnel, AllowAdmin = true };
        await using (ConnectionMultiplexer redis = await ConnectionMultiplexer.ConnectAsync(options))
        {
            IDatabase database = redis.GetDatabase();
            await CheckValuesAsync(database);
            await CheckSubscriptionAsync(redis.GetSubscriber());
            CheckSynchronousCalls(database);
            Assert.True(tunnel.Count >= 1);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task CheckValuesAsync(IDatabase database)
    {
        byte[] value = new byte[1_500_000];
        new Random(1).NextBytes(value);
        Assert.True(await database.StringSetAsync("key", value));
        Assert.Equal(value, (byte[]?)await database.StringGetAsync("key"));
        Assert.True((await database.StringGetAsync("no such key")).IsNull);
        long[] counts = await Task.WhenAll(Enumerable.Range(0, 2000).Select(_ => database.StringIncrementAsync("counter")));
        Assert.Equal(Enumerable.Range(1, 2000).Select(static i => (long)i), counts);
        await Assert.ThrowsAsync<RedisServerException>(() => database.StringIncrementAsync("key"));

#pragma warning disable SER301 // one command would do the same; transactions are what is tested
        ITransaction transaction = database.CreateTransaction();
        transaction.AddCondition(Condition.StringEqual("counter", 2000));
        Task<bool> set = transaction.StringSetAsync("counter", "done");
#pragma warning restore SER301
        Assert.True(await transaction.ExecuteAsync());
        Assert.True(await set);
    }

    private static async Task CheckSubscriptionAsync(ISubscriber subscriber)
    {
        ChannelMessageQueue queue = await subscriber.SubscribeAsync(RedisChannel.Literal("news"));
        for (int i = 0; i < 100; i++) await subscriber.PublishAsync(RedisChannel.Literal("news"), i);
        for (int i = 0; i < 100; i++) Assert.Equal(i, (int)(await queue.ReadAsync()).Message);
        await queue.UnsubscribeAsync();
    }

    private static void CheckSynchronousCalls(IDatabase database)
    {
        for (int i = 0; i < 200; i++)
        {
            database.ListRightPush("list", i);
            Assert.Equal(i, (int)database.ListGetByIndex("list", -1));
        }
    }

    /// <summary>Connects by a stream of ours, whatever the address is.</summary>
    private sealed class OurTunnel(string path) : Tunnel
    {
        private int _count;

        internal int Count => _count;

        // Null: the client creates no socket.
        public override ValueTask<EndPoint?> GetSocketConnectEndpointAsync(EndPoint endpoint, CancellationToken cancellationToken) => default;

        public override async ValueTask<Stream?> BeforeAuthenticateAsync(
            EndPoint endpoint, ConnectionType connectionType, Socket? socket, CancellationToken cancellationToken)
        {
            Assert.Null(socket);
            IOStream stream = new(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
            await stream.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken: cancellationToken);
            Interlocked.Increment(ref _count);
            return stream.AsStream();
        }

        public override string ToString() => "streams of ours";
    }
}
