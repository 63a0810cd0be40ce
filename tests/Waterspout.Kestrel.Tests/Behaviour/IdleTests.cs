using System.Net.Sockets;

namespace Waterspout.Kestrel.Tests.Behaviour;

/// <summary>Connections that have had an answer, and wait.</summary>
/// <remarks>With WATERSPOUT_FULL=1 in the environment 10,000. Of these 7,951 bytes each, and 8,760 on the own transport.</remarks>
[Collection(Alone.Name)]
public sealed class IdleTests
{
    private static readonly int s_count = Full.IsOn ? 10_000 : 500;

    [Fact]
    public async Task Idle_connections_take_no_more_memory_than_on_Kestrels_own_transport()
    {
        long stock = await MeasureAsync(TransportKind.Stock);
        long ours = await MeasureAsync(TransportKind.Waterspout);
        TestContext.Current.TestOutputHelper?.WriteLine($"Heap for each of {s_count} connections: {stock} on its own transport, {ours} on ours.");
        Assert.InRange(ours, 1, stock);
    }

    /// <summary>The bytes of the heap that a connection takes.</summary>
    private static async Task<long> MeasureAsync(TransportKind transport)
    {
        await using ServerProcess server = await ServerProcess.StartAsync(transport);
        await DropAsync(await OpenAsync(server, 100), server);
        ServerCounts before = await server.WhenIdleAsync();
        Socket[] clients = await OpenAsync(server, s_count);
        ServerCounts full = await server.CountAsync();
        Assert.Equal(s_count + 1, full.Open);
        foreach (Socket client in clients) await ServerProcess.AskAsync(client);
        await DropAsync(clients, server);
        await server.WhenIdleAsync(before.Descriptors + 10);
        TestContext.Current.TestOutputHelper?.WriteLine($"{transport}: {before} {full}");
        return (full.Heap - before.Heap) / s_count;
    }

    private static async Task<Socket[]> OpenAsync(ServerProcess server, int count)
    {
        Socket[] clients = new Socket[count];
        for (int i = 0; i < count; i++) await ServerProcess.AskAsync(clients[i] = await server.ConnectAsync());
        return clients;
    }

    private static async Task DropAsync(Socket[] clients, ServerProcess server)
    {
        foreach (Socket client in clients) client.Dispose();
        await server.WhenIdleAsync();
    }
}
