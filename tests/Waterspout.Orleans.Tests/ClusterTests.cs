using Microsoft.Extensions.Logging;
using Waterspout.Kestrel.Tests;

namespace Waterspout.Orleans.Tests;

/// <summary>Silos and a client over each transport, and over both.</summary>
public sealed class ClusterTests
{
    [Theory, OnEachTransport]
    public async Task Grains_on_every_silo_are_called_by_the_client_and_by_each_other(TransportKind transport)
    {
        await using TestCluster cluster = await TestCluster.StartAsync(transport);
        Assert.Equal(2, (await cluster.CallAllAsync()).Count);
        Assert.Equal(2, (await cluster.CallAllAsync(size: 100_000)).Count);
        await cluster.CallAllAsync(size: 0);
    }

    [Fact]
    public async Task A_silo_or_client_on_the_other_transport_takes_part()
    {
        await using TestCluster cluster = await TestCluster.StartAsync([TransportKind.Waterspout, TransportKind.Stock, TransportKind.Waterspout]);
        Assert.Equal(2, (await cluster.CallAllAsync()).Count);
    }

    [Theory, OnEachTransport]
    public async Task Many_calls_at_once_are_answered_with_their_own_data(TransportKind transport)
    {
        await using TestCluster cluster = await TestCluster.StartAsync(transport);
        await Task.WhenAll(Enumerable.Range(0, 32).Select(async number =>
        {
            byte[] data = new byte[1 + number * 997];
            Array.Fill(data, (byte)number);
            for (int i = 0; i < 20; i++) Assert.Equal(data, (await cluster.Client.GetGrain<IEchoGrain>(number).EchoByAsync(number + i, data)).Data);
        }));
    }

    [Theory, OnEachTransport]
    public async Task With_TLS_and_certificates_on_both_sides_nothing_else_changes(TransportKind transport)
    {
        using var certificate = Waiting.CreateCertificate();
        await using TestCluster cluster = await TestCluster.StartAsync(transport, certificate);
        Assert.Equal(2, (await cluster.CallAllAsync()).Count);
        Assert.Equal(2, (await cluster.CallAllAsync(size: 100_000)).Count);
    }

    [Theory, OnEachTransport]
    public async Task When_a_silo_has_stopped_its_grains_answer_elsewhere(TransportKind transport)
    {
        await using TestCluster cluster = await TestCluster.StartAsync(transport);
        Assert.Equal(2, (await cluster.CallAllAsync()).Count);
        await cluster.Silos[1].StopAsync();
        Assert.Single(await cluster.CallAllAsync());
    }

    [Theory, OnEachTransport]
    public async Task A_stop_leaves_no_socket_and_nothing_in_the_log(TransportKind transport)
    {
        int before = OpenSockets();
        TestCluster cluster = await TestCluster.StartAsync(transport);
        await cluster.CallAllAsync();
        Assert.NotEqual(before, OpenSockets());
        await cluster.DisposeAsync();
        Assert.Equal(before, OpenSockets());
        Assert.DoesNotContain(cluster.Log.Lines, static line => line.Level >= LogLevel.Error);
        Assert.DoesNotContain(cluster.Log.Lines, static line => line.Text.StartsWith("Waterspout") && line.Level >= LogLevel.Warning);
    }

    private static int OpenSockets() => Directory.EnumerateFileSystemEntries("/proc/self/fd").Count(static path =>
        new FileInfo(path).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true);
}
