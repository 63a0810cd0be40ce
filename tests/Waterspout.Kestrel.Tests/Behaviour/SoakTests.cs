using System.Diagnostics;
using System.Net.Sockets;

namespace Waterspout.Kestrel.Tests.Behaviour;

/// <summary>
/// Many clients, most of which leave at any point. Afterwards the server process has what it had before: descriptors, memory, connections.
/// </summary>
/// <remarks>With WATERSPOUT_FULL=1 in the environment two minutes for each transport, and 20,000 that leave at once.</remarks>
[Collection(Alone.Name)]
public sealed class SoakTests
{
    private const int AtOnce = 16;

    // Of pools that have grown, and code that was compiled meanwhile. A connection that were kept would take about 10 KiB.
    private const int MostGrowth = 4_000_000;

    // Of threads that the pool has added.
    private const int MostDescriptors = 10;

    private static readonly TimeSpan s_duration = Full.IsOn ? TimeSpan.FromMinutes(2) : TimeSpan.Zero;

    [Theory, OnEachTransport]
    public async Task Nothing_is_left_of_clients_that_abort_at_random(TransportKind transport)
    {
        await using ServerProcess server = await ServerProcess.StartAsync(transport);
        await RunAsync(server, 300, TimeSpan.Zero);
        ServerCounts before = await server.WhenIdleAsync();
        await RunAsync(server, 600, s_duration);
        ServerCounts after = await server.WhenIdleAsync(before.Descriptors + MostDescriptors);
        Assert.Equal(0, after.AbortedTwice);
        // The other transport keeps pools of its own, whose size is not ours to promise.
        if (transport == TransportKind.Waterspout) Assert.InRange(after.Heap, 0, before.Heap + MostGrowth);
        TestContext.Current.TestOutputHelper?.WriteLine($"{before}\n{after}");
    }

    [Theory, OnEachTransport]
    public async Task Nothing_is_left_of_clients_that_connect_and_vanish(TransportKind transport)
    {
        await using ServerProcess server = await ServerProcess.StartAsync(transport);
        await VanishAsync(server, 100);
        ServerCounts before = await server.WhenIdleAsync();
        await VanishAsync(server, Full.IsOn ? 20_000 : 1_000);
        ServerCounts after = await server.WhenIdleAsync(before.Descriptors + MostDescriptors);
        Assert.InRange(after.Heap, 0, before.Heap + MostGrowth);
    }

    private static async Task RunAsync(ServerProcess server, int least, TimeSpan duration)
    {
        int seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        long begun = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(number => Task.Run(async () =>
        {
            Clients clients = new(server, new Random(seed + number));
            for (int i = 0; i < least / AtOnce || Stopwatch.GetElapsedTime(begun) < duration; i++) await clients.RunOneAsync();
        })));
    }

    private static async Task VanishAsync(ServerProcess server, int count)
    {
        for (int i = 0; i < count; i++)
        {
            using Socket socket = await server.ConnectAsync(isSecure: i % 8 == 0);
            if (i % 2 == 0) socket.LingerState = new LingerOption(true, 0);
        }
    }
}
