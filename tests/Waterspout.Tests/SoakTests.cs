using System.Diagnostics;
using System.Security.Authentication;
using Waterspout.Tests.Tls;

namespace Waterspout.Tests;

/// <summary>Many concurrent conversations, in frames with checksums, some of which end in the middle.</summary>
/// <remarks>With WATERSPOUT_FULL=1 in the environment a quarter of an hour per poller.</remarks>
[OnEachPoller]
public sealed class SoakTests : LoopTest
{
    private const int AtOnce = 8;
    private const int Conversations = 12; // one after the other, of each of those

    // A guard against hanging: far longer than any frame takes.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan s_duration = TimeSpan.FromMinutes(Environment.GetEnvironmentVariable("WATERSPOUT_FULL") == "1" ? 15 : 0);

    private static readonly Transport[] s_transports =
        [new TcpTransport(), new UnixTransport(), new PipeTransport(), new FaultyTransport(), new TlsPairs(SslProtocols.Tls13, isClientLeft: true)];

    [Fact]
    public void Frames_arrive_whole_until_their_conversation_ends()
    {
        Log.Allow("bytes were written and not sent"); // by one that was closed early
        Check(() => Loop.RunSync(() => SoakAsync(NewRandom()), s_duration + Limit));
    }

    private async Task SoakAsync(Random random)
    {
        long frames = 0, last = -1;
        TaskCompletionSource stuck = new();
        using IDisposable watch = Loop.CallEvery(s_patience, () =>
        {
            if (last == frames) stuck.TrySetException(new TimeoutException($"Nothing has arrived for {s_patience}, after {frames} frames."));
            last = frames;
        });
        Stopwatch time = Stopwatch.StartNew();
        int whole = 0, cut = 0;
        Task all = Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => TalkAsync(new Random(random.Next()))));
        await await Task.WhenAny(all, stuck.Task);
        Assert.True(whole > 0 && cut > 0, $"{whole} conversations came to their end, and {cut} were cut off: that was no test.");
        Assert.Equal(0, Loop.Counters.StreamsOpen);

        async Task TalkAsync(Random own)
        {
            for (int i = 0; i < Conversations || time.Elapsed < s_duration; i++)
            {
                Conversation conversation = new(own, () => frames++);
                if (await conversation.RunAsync(s_transports[own.Next(s_transports.Length)])) whole++;
                else cut++;
            }
        }
    }
}
