using System.Diagnostics;
using System.Net.Sockets;

namespace Waterspout.Kestrel.Tests.Behaviour;

/// <summary>A server without a free descriptor for the connections that wait.</summary>
/// <remarks>
/// Only with WATERSPOUT_FULL=1 in the environment. The runtime itself ends a process that can open nothing from time to time ("Out of memory."),
/// on either transport.
/// </remarks>
[Collection(Alone.Name)]
public sealed class DescriptorLimitTests
{
    private const string Prlimit = "/usr/bin/prlimit";

    [Theory, OnEachTransport]
    public async Task The_server_serves_those_that_it_has_and_takes_the_others_later(TransportKind transport)
    {
        Assert.SkipUnless(Full.IsOn, "WATERSPOUT_FULL is not set.");
        Assert.SkipUnless(File.Exists(Prlimit), "prlimit is not installed.");
        await using ServerProcess server = await ServerProcess.StartAsync(transport);
        // Loads now what the runtime loads at the first use.
        using (Socket first = await server.ConnectAsync()) await ServerProcess.AskAsync(first);
        using Socket established = await server.ConnectAsync();
        await ServerProcess.AskAsync(established);
        int limit = LimitFor(server, free: 5);
        await SetLimitAsync(server, limit);

        Socket[] clients = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => server.ConnectAsync()));
        while (Descriptors(server).Count(fd => fd < limit) < limit) await Task.Yield();
        for (int i = 0; i < 20; i++) await ServerProcess.AskAsync(established);
        // In order of arrival: each makes room for the next one.
        foreach (Socket client in clients)
        {
            await ServerProcess.AskAsync(client);
            client.Dispose();
        }

        established.Dispose();
        await SetLimitAsync(server, 1024);
        await server.WhenIdleAsync();
    }

    // RLIMIT_NOFILE bounds the number of a descriptor, not how many there are.
    private static int LimitFor(ServerProcess server, int free)
    {
        HashSet<int> open = [.. Descriptors(server)];
        return Enumerable.Range(0, int.MaxValue).Where(fd => !open.Contains(fd)).ElementAt(free);
    }

    private static IEnumerable<int> Descriptors(ServerProcess server) =>
        Directory.GetFiles($"/proc/{server.Id}/fd").Select(static path => int.Parse(Path.GetFileName(path), null));

    private static async Task SetLimitAsync(ServerProcess server, int limit)
    {
        using Process prlimit = Process.Start(Prlimit, [$"--pid={server.Id}", $"--nofile={limit}:"]);
        await prlimit.WaitForExitAsync().InTime();
        Assert.Equal(0, prlimit.ExitCode);
    }
}
