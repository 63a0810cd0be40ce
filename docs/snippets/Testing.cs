using Waterspout;
using Waterspout.Testing;

namespace Snippets;

internal static class Testing
{
    internal static async Task InPieces()
    {
        (FaultyIOStream server, IOStream client) = StreamPair.CreateFaulty();
        server.Receives.BytesPerCall = 1;  // each byte by itself
        server.Receives.CutAfter(5);       // and then the connection is lost
        await client.WriteLineAsync("HELO alice");
        await Assert.ThrowsAsync<StreamClosedException>(async () => await server.ReadUntilAsync("\n"u8));
    }

    internal static void Time()
    {
        ManualTimeProvider clock = new();
        using IOLoop loop = new(new IOLoopOptions { TimeProvider = clock });
        loop.RunSync(async () =>
        {
            (MemoryIOStream client, MemoryIOStream server) = MemoryIOStream.CreatePair();
            Task<string?> reading = server.ReadLineAsync(timeout: TimeSpan.FromMinutes(5)).AsTask();
            clock.Advance(TimeSpan.FromMinutes(5));
            await Assert.ThrowsAsync<TimeoutException>(() => reading);
            client.Close();
            server.Close();
        });
    }
}
