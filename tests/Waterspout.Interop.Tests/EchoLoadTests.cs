using System.Text;

namespace Waterspout.Interop.Tests;

/// <summary>Many connections at once, whose lines arrive in pieces.</summary>
/// <remarks>With WATERSPOUT_FULL=1 in the environment: 1,000 connections with 1,000 lines each.</remarks>
public sealed class EchoLoadTests
{
    private static readonly bool s_isFull = Environment.GetEnvironmentVariable("WATERSPOUT_FULL") == "1";
    private static readonly int s_connections = s_isFull ? 1000 : 200;
    private static readonly int s_lines = s_isFull ? 1000 : 200;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Every_line_comes_back_once_in_order_and_no_descriptor_is_left(int loops) => TestLoop.Run(async () =>
    {
        using EchoServer server = await EchoServer.StartAsync("--loops", $"{loops}");
        // One on each loop: their later echoes show that the loop has closed what it had to close before.
        IOStream[] probes = await Task.WhenAll(Enumerable.Range(0, loops).Select(_ => server.ConnectAsync()));
        await ProbeAsync(probes);
        int before = server.Descriptors.Count();

        await Task.WhenAll(Enumerable.Range(1, s_connections).Select(seed => TalkAsync(server, new Random(seed))));

        await ProbeAsync(probes);
        Assert.Equal(before, server.Descriptors.Count());
        foreach (IOStream probe in probes) probe.Close();
        await server.Process.SignalAsync("TERM");
        await server.Process.WaitForExitAsync();
        Assert.Equal(0, server.Process.ExitCode);
    }, seconds: 300);

    private static async Task ProbeAsync(IOStream[] probes)
    {
        foreach (IOStream probe in probes)
        {
            await probe.WriteAsync("probe\n"u8);
            Assert.Equal("probe\n"u8.ToArray(), await probe.ReadUntilAsync("\n"u8));
        }
    }

    private static async Task TalkAsync(EchoServer server, Random random)
    {
        using IOStream stream = await server.ConnectAsync();
        string[] lines = [.. Enumerable.Range(0, s_lines).Select(number => $"{number} {new string('x', random.Next(200))}\n")];
        Task sending = SendInPiecesAsync(stream, Encoding.ASCII.GetBytes(string.Concat(lines)), random);
        foreach (string line in lines) Assert.Equal(line, Encoding.ASCII.GetString(await stream.ReadUntilAsync("\n"u8)));
        await sending;
        Assert.Empty(await stream.ReadUntilCloseAsync());
    }

    private static async Task SendInPiecesAsync(IOStream stream, byte[] data, Random random)
    {
        for (int start = 0; start < data.Length;)
        {
            int length = Math.Min(random.Next(1, 500), data.Length - start);
            await stream.WriteAsync(data.AsSpan(start, length));
            await stream.FlushAsync(); // otherwise the pieces of a turn would be sent as one
            start += length;
        }

        await stream.CompleteWritesAsync();
    }
}
