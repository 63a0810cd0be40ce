using System.Net;

namespace Waterspout.Interop.Tests;

/// <summary>The ChatServer sample.</summary>
public sealed class ChatServerTests
{
    [Fact]
    public void A_client_that_does_not_read_is_dropped_and_the_others_are_served() => TestLoop.Run(async () =>
    {
        using Child server = Child.Start(Repository.Sample("ChatServer"), "--port", "0", "--host", "127.0.0.1");
        int port = IPEndPoint.Parse((await server.ReadLineAsync())!["listening on ".Length..]).Port;
        // Accepted in this order: all are in the room before the first line arrives.
        using IOStream silent = await IOStream.ConnectAsync("127.0.0.1", port);
        using IOStream reader = await IOStream.ConnectAsync("127.0.0.1", port);
        using IOStream writer = await IOStream.ConnectAsync("127.0.0.1", port);

        // 20 MB is more than the kernel and the server together buffer for one connection.
        byte[] line = new byte[4000];
        line.AsSpan().Fill((byte)'x');
        line[^1] = (byte)'\n';
        const int Lines = 5000;
        for (int i = 0; i < Lines; i++)
        {
            await writer.WriteAsync(line.AsSpan());
            Assert.Equal(line.Length, (await reader.ReadUntilAsync("\n"u8)).Length);
        }

        long received = 0;
        try
        {
            await foreach (ReadOnlyMemory<byte> piece in silent.ReadChunksAsync()) received += piece.Length;
        }
        catch (StreamClosedException)
        {
            // Closed with a reset, which a client that does not read may get.
        }

        Assert.InRange(received, 1, (long)line.Length * Lines - 1);
        await server.SignalAsync("TERM");
        await server.WaitForExitAsync();
        Assert.Equal(0, server.ExitCode);
    });
}
