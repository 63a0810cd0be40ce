using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Waterspout.Interop.Tests;

/// <summary>The echo latency of a plain connection during a storm of TLS handshakes on its loop.</summary>
/// <remarks>Only with WATERSPOUT_FULL=1 in the environment. The figures are in the test's output; times are not asserted.</remarks>
[Collection(Alone.Name)]
public sealed class TlsStormTests(ITestOutputHelper output)
{
    private const int Handshakes = 200;
    private const int Rounds = 5;
    private const int QuietPings = 5000;

    [Fact]
    public async Task Pings_are_answered_during_a_storm_of_handshakes()
    {
        if (Environment.GetEnvironmentVariable("WATERSPOUT_FULL") != "1") Assert.Skip("A measurement: set WATERSPOUT_FULL=1 to run it.");
        using TlsFolder folder = new();
        using IOLoopGroup loop = new(1);
        // Polling for events without sleeping would count as work of the thread, and it is not caused by the handshakes.
        using IOLoopGroup otherLoop = new(1, new IOLoopOptions { BusyPoll = TimeSpan.Zero });
        await using TcpServer plain = new(EchoAsync, new TcpServerOptions { Loops = loop });
        await using TcpServer secure = new(EchoAsync, new TcpServerOptions { Loops = loop, Ssl = folder.ServerOptions() });
        await using TcpServer elsewhere = new(EchoAsync, new TcpServerOptions { Loops = otherLoop, Ssl = folder.ServerOptions() });
        using Socket pinger = await ConnectAsync(plain.Listen(0, "127.0.0.1"));
        EndPoint near = secure.Listen(0, "127.0.0.1");
        EndPoint far = elsewhere.Listen(0, "127.0.0.1");

        await PingAsync(pinger, pings => pings < 1000); // warm-up
        await StormAsync(folder, near);
        await StormAsync(folder, far);
        Report("without a storm", await PingAsync(pinger, pings => pings < QuietPings));
        // The effect of the processor load alone.
        long before = await ThreadTimeAsync(otherLoop[0]);
        await MeasureAsync("during a storm on another loop", folder, far, pinger);
        double perHandshake = (await ThreadTimeAsync(otherLoop[0]) - before) / 1000.0 / (Handshakes * Rounds);
        output.WriteLine($"the other loop's thread: {perHandshake:F0} us of processor for a connection, from its acceptance to its end");
        await MeasureAsync("during a storm on the same loop", folder, near, pinger);
    }

    private async Task MeasureAsync(string when, TlsFolder folder, EndPoint server, Socket pinger)
    {
        Task<int> storm = Task.Run(async () =>
        {
            int done = 0;
            for (int round = 0; round < Rounds; round++) done += await StormAsync(folder, server);
            return done;
        });
        Report(when, await PingAsync(pinger, _ => !storm.IsCompleted));
        Assert.Equal(Handshakes * Rounds, await storm);
    }

    /// <summary>The processor time of the loop's thread, in nanoseconds.</summary>
    private static Task<long> ThreadTimeAsync(IOLoop loop) => loop.InvokeAsync(() =>
        Task.FromResult(long.Parse(File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture)));

    /// <summary>Does handshakes with 200 clients at once, none of which resumes a session.</summary>
    private static async Task<int> StormAsync(TlsFolder folder, EndPoint server)
    {
        SslClientAuthenticationOptions options = folder.ClientOptions();
        options.AllowTlsResume = false;
        await Task.WhenAll(Enumerable.Range(0, Handshakes).Select(async _ =>
        {
            using SslStream stream = new(new NetworkStream(await ConnectAsync(server), ownsSocket: true));
            await stream.AuthenticateAsClientAsync(options);
            await stream.WriteAsync("x\n"u8.ToArray());
            Assert.Equal(2, await stream.ReadAtLeastAsync(new byte[2], 2));
        }));
        return Handshakes;
    }

    /// <summary>Pings from its own thread, so that the thread pool's work does not count.</summary>
    private static Task<List<TimeSpan>> PingAsync(Socket socket, Func<int, bool> goesOn) => Task.Factory.StartNew(
        () =>
        {
            List<TimeSpan> times = [];
            byte[] ping = "ping\n"u8.ToArray();
            while (goesOn(times.Count))
            {
                long begin = Stopwatch.GetTimestamp();
                socket.Send(ping);
                for (int received = 0; received < ping.Length;) received += socket.Receive(ping, received, ping.Length - received, SocketFlags.None);
                times.Add(Stopwatch.GetElapsedTime(begin));
            }

            return times;
        },
        TaskCreationOptions.LongRunning);

    // Pings are sequential, so slow ones are few in number however long they take. Hence the median by time as well.
    private void Report(string when, List<TimeSpan> times)
    {
        Assert.NotEmpty(times);
        times.Sort();
        TimeSpan total = times.Aggregate((sum, time) => sum + time);
        TimeSpan sum = TimeSpan.Zero;
        TimeSpan medianByTime = times.First(time => (sum += time) >= total / 2);
        output.WriteLine(
            $"{when}: {times.Count} pings in {total.TotalMilliseconds:F0} ms, p50 {At(0.5):F0} us, p99 {At(0.99):F0} us, longest {At(1):F0} us; "
            + $"half of the time went into pings of {medianByTime.TotalMicroseconds:F0} us and longer");

        double At(double share) => times[Math.Min((int)(times.Count * share), times.Count - 1)].TotalMicroseconds;
    }

    private static async Task<Socket> ConnectAsync(EndPoint endPoint)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(endPoint);
        return socket;
    }

    private static async Task EchoAsync(IOStream stream)
    {
        while (true) await stream.WriteAsync(await stream.ReadUntilAsync("\n"u8));
    }
}
