using System.Diagnostics;
using System.Net;

namespace Waterspout.Interop.Tests;

/// <summary>Connect, handshake, echo, close, 16,000 times in one process: leaks would add up.</summary>
/// <remarks>Only with WATERSPOUT_FULL=1 in the environment, since it takes long. The figures are in the test's output.</remarks>
[Collection(Alone.Name)]
public sealed class TlsCycleTests(ITestOutputHelper output)
{
    private const int AtOnce = 8;

    [Fact]
    public void Nothing_adds_up_over_16000_connections()
    {
        if (Environment.GetEnvironmentVariable("WATERSPOUT_FULL") != "1") Assert.Skip("A long test: set WATERSPOUT_FULL=1 to run it.");
        TestLoop.Run(async () =>
        {
            using TlsFolder folder = new();
            await using TcpServer server = new(EchoAsync, new TcpServerOptions { Ssl = folder.ServerOptions() });
            int port = ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port;
            (_, _) = await CycleAsync(folder, server, port, 1000);
            (int descriptors, long heap) = await CycleAsync(folder, server, port, 7000);
            (int lastDescriptors, long lastHeap) = await CycleAsync(folder, server, port, 8000);
            Assert.Equal(descriptors, lastDescriptors);
            Assert.True(lastHeap - heap < 1_000_000, $"The heap grew from {heap} to {lastHeap} bytes.");
        }, seconds: 900);
    }

    private async Task<(int Descriptors, long Heap)> CycleAsync(TlsFolder folder, TcpServer server, int port, int count)
    {
        Stopwatch watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
        {
            for (int i = 0; i < count / AtOnce; i++) await TalkAsync(folder, port);
        }));
        while (server.ConnectionCount > 0) await Task.Yield(); // the server may be one turn late
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        int descriptors = Directory.GetFiles("/proc/self/fd").Length;
        long heap = GC.GetTotalMemory(forceFullCollection: true);
        output.WriteLine($"{count} more cycles: {descriptors} descriptors, heap {heap / 1024} KiB, RSS {Environment.WorkingSet / 1024} KiB, {watch.Elapsed.TotalSeconds:F1} s");
        return (descriptors, heap);
    }

    private static async Task TalkAsync(TlsFolder folder, int port)
    {
        await using SslIOStream stream = await SslIOStream.ConnectAsync("127.0.0.1", port, folder.ClientOptions());
        await stream.WriteAsync("hello\n"u8);
        Assert.Equal("hello\n"u8.ToArray(), await stream.ReadUntilAsync("\n"u8));
    }

    private static async Task EchoAsync(IOStream stream) => await stream.WriteAsync(await stream.ReadUntilAsync("\n"u8));
}
