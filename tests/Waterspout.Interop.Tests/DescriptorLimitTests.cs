using System.Globalization;

namespace Waterspout.Interop.Tests;

/// <summary>
/// A server without a free descriptor for the waiting connections. In its own process, since the limit applies to the whole process.
/// </summary>
public sealed class DescriptorLimitTests
{
    private const int Free = 5;
    private const int Clients = 20;
    private const int Naps = 10;

    [Fact]
    public void The_server_sleeps_serves_those_that_it_has_and_takes_the_others_later() => TestLoop.Run(async () =>
    {
        string prlimit = Tool.Require("prlimit");
        using EchoServer server = await EchoServer.StartAsync();
        // Loads now what the runtime loads at the first use.
        using (IOStream first = await server.ConnectAsync()) await EchoAsync(first);
        using IOStream established = await server.ConnectAsync();
        await EchoAsync(established);
        int limit = LimitFor(server);
        Child.Outcome limited = await Child.RunAsync(prlimit, $"--pid={server.Process.Id}", $"--nofile={limit}");
        Assert.Equal("", limited.Errors);

        IOStream[] clients = await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => server.ConnectAsync()));
        while (!IsFull(server, limit)) await Task.Yield();
        await EchoAsync(established);
        await AssertSleepsAsync(server);
        await EchoAsync(established);
        Assert.True(IsFull(server, limit));

        // In order of arrival: each makes room for the next one.
        foreach (IOStream client in clients)
        {
            await EchoAsync(client);
            await client.CloseAsync();
        }

        await EchoAsync(established);
        await server.Process.SignalAsync("TERM");
        await server.Process.WaitForExitAsync();
        Assert.Equal(0, server.Process.ExitCode);
    });

    [Fact]
    public void What_has_its_descriptor_needs_no_other_one_and_what_fails_leaves_none() => TestLoop.Run(async () =>
    {
        Child.Outcome outcome = await Child.RunAsync("sh", "-c", $"ulimit -n 200; {ChildPrograms.Command(ChildPrograms.WithoutDescriptors)}");
        string each = """
            no descriptor: ArgumentOutOfRangeException
            a handler on another thread: works
            a pipe on another thread: works
            a handler on the loop: works
            a pipe on the loop: works
            a loop: IOException
            none lost

            """;
        Assert.Equal(each + each, System.Text.Encoding.ASCII.GetString(outcome.Output));
    });

    // RLIMIT_NOFILE bounds the number of a descriptor, not how many there are: inherited descriptors may have any number.
    private static int LimitFor(EchoServer server)
    {
        HashSet<int> open = [.. server.Descriptors];
        return Enumerable.Range(0, int.MaxValue).Where(fd => !open.Contains(fd)).ElementAt(Free);
    }

    private static bool IsFull(EchoServer server, int limit) => server.Descriptors.Count(fd => fd < limit) == limit;

    /// <summary>
    /// Waits until the loop has gone to sleep several times, which a spinning loop does not do, and checks the processor time it has used.
    /// </summary>
    private static async Task AssertSleepsAsync(EchoServer server)
    {
        string thread = Directory.GetDirectories($"/proc/{server.Process.Id}/task").Single(task => File.ReadAllText($"{task}/comm").StartsWith("IOLoop", StringComparison.Ordinal));
        long sleeps = Sleeps(thread), ticks = Ticks(thread);
        while (Sleeps(thread) < sleeps + Naps) await Task.Yield();
        Assert.InRange(Ticks(thread) - ticks, 0, 20);
    }

    private static long Sleeps(string thread)
    {
        const string Name = "voluntary_ctxt_switches:";
        return long.Parse(File.ReadLines($"{thread}/status").Single(line => line.StartsWith(Name, StringComparison.Ordinal))[Name.Length..], CultureInfo.InvariantCulture);
    }

    // In hundredths of a second: utime and stime, the 14th and 15th field of proc_pid_stat(5). The second field may contain blanks.
    private static long Ticks(string thread)
    {
        string stat = File.ReadAllText($"{thread}/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
    }

    private static async Task EchoAsync(IOStream stream)
    {
        await stream.WriteAsync("line\n"u8);
        Assert.Equal("line\n"u8.ToArray(), await stream.ReadUntilAsync("\n"u8));
    }
}
