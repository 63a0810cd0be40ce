using System.Buffers.Binary;
using System.Net.Security;
using Waterspout;

namespace Snippets;

internal static class Recipes
{
    private static readonly FrameLength s_length = new(4); // four bytes, network byte order

    private static readonly IOStreamOptions s_options = new()
    {
        ConnectTimeout = TimeSpan.FromSeconds(10),
        KeepAlive = new KeepAlive { Time = TimeSpan.FromSeconds(30) }, // so that a peer that has vanished is noticed
        UserTimeout = TimeSpan.FromSeconds(20),
    };

    internal static async Task ServeLinesAsync(IOStream stream, CancellationToken stopping)
    {
        while (await stream.ReadLineAsync(maxBytes: 1024, cancellationToken: stopping, timeout: TimeSpan.FromMinutes(5)) is { } line)
        {
            string[] words = line.Split(' ', 2);
            await stream.WriteLineAsync(words[0] switch { "PING" => "PONG", "QUIT" => "BYE", _ => "ERROR" }, cancellationToken: CancellationToken.None);
            if (words[0] == "QUIT") return; // the server closes the stream, and the client gets the answer first
        }
    }

    internal static ValueTask<byte[]> ReceiveAsync(BaseIOStream stream) => stream.ReadFrameAsync(s_length, maxBytes: 1_000_000);

    internal static ValueTask SendAsync(BaseIOStream stream, ReadOnlySpan<byte> message)
    {
        BinaryPrimitives.WriteInt32BigEndian(stream.GetSpan(4), message.Length);
        stream.Advance(4);
        return stream.WriteAsync(message); // leaves together with its length
    }

    internal static async Task StartTlsAsync(string host)
    {
        IOStream plain = await IOStream.ConnectAsync(host, 587);
        await plain.ReadUntilAsync("\r\n"u8, maxBytes: 512);
        await plain.WriteAsync("STARTTLS\r\n"u8);
        await plain.ReadUntilAsync("\r\n"u8, maxBytes: 512);
        await using SslIOStream secure = await plain.StartTlsAsync(new SslClientAuthenticationOptions { TargetHost = host });
    }

    internal static async Task<SslIOStream> UpgradeAsync(IOStream stream, SslServerAuthenticationOptions options)
    {
        await stream.WriteAsync("220 go ahead\r\n"u8);
        SslIOStream secure = await stream.StartTlsAsync(options); // the server closes it when the handler ends
        return secure;
    }

    internal static async Task ProxyAsync(IOStream client, string host, int port)
    {
        await using IOStream server = await IOStream.ConnectAsync(host, port, new IOStreamOptions { AllowHalfOpen = true });
        await Task.WhenAll(PumpAsync(client, server), PumpAsync(server, client));
    }

    private static async Task PumpAsync(IOStream from, IOStream to)
    {
        await foreach (ReadOnlyMemory<byte> piece in from.ReadChunksAsync())
        {
            await to.WriteAsync(piece.Span); // copied: the piece is the stream's own buffer
        }

        await to.CompleteWritesAsync();
    }

    internal static async Task StayConnectedAsync(string host, int port, CancellationToken stopping)
    {
        TimeSpan pause = TimeSpan.FromSeconds(1);
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await using IOStream stream = await IOStream.ConnectAsync(host, port, s_options, stopping);
                pause = TimeSpan.FromSeconds(1);
                await TalkAsync(stream, stopping);
            }
            catch (Exception error) when (error is StreamClosedException or TimeoutException)
            {
                Console.Error.WriteLine($"{host}: {error.Message}");
            }

            // Not all clients at the same time, and less often the longer it lasts.
            await Task.Delay(pause * (0.5 + Random.Shared.NextDouble()), stopping);
            if (pause < TimeSpan.FromMinutes(1)) pause *= 2;
        }
    }

    private static async Task TalkAsync(IOStream stream, CancellationToken stopping)
    {
        while (await stream.ReadLineAsync(cancellationToken: stopping) is { } line) Console.WriteLine(line);
    }
}

internal sealed class Client(IOStream stream)
{
    private readonly Queue<TaskCompletionSource<string>> _waiting = [];

    // From any thread.
    internal Task<string> AskAsync(string question) => stream.Loop.InvokeAsync(async () =>
    {
        TaskCompletionSource<string> answer = new();
        ValueTask written = stream.WriteLineAsync(question);
        _waiting.Enqueue(answer); // before any await, so that the order is that of the questions
        await written;
        return await answer.Task;
    });

    // Started once, on the loop. Answers come in the order of the questions.
    internal async Task RunAsync()
    {
        try
        {
            while (await stream.ReadLineAsync(maxBytes: 65536) is { } line) _waiting.Dequeue().SetResult(line);
        }
        finally
        {
            while (_waiting.TryDequeue(out TaskCompletionSource<string>? answer)) answer.TrySetException(new StreamClosedException(stream.CloseReason));
        }
    }
}
