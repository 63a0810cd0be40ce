using System.Buffers.Text;
using System.Diagnostics;
using System.IO.Pipes;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Waterspout;

namespace Snippets;

internal static class GettingStarted
{
    internal static async Task Read(IOStream stream, byte[] buffer)
    {
        byte[] line = await stream.ReadUntilAsync("\r\n"u8, maxBytes: 1024);
        byte[] header = await stream.ReadBytesAsync(16);
        byte[] prompt = await stream.ReadUntilRegexAsync(@"(login|password): ");
        int count = await stream.ReadIntoAsync(buffer, partial: true);
        await foreach (ReadOnlyMemory<byte> piece in stream.ReadChunksAsync(50_000_000)) Consume(piece.Span);
        byte[] rest = await stream.ReadUntilCloseAsync();
        _ = (line, header, prompt, count, rest);
    }

    internal static async Task Parse(IOStream stream)
    {
        long number = await stream.ReadUntilAsync("\r\n"u8, static line =>
            Utf8Parser.TryParse(line, out long value, out _) ? value : throw new FormatException("A number was expected."));
        _ = number;
    }

    internal static async Task Cancel(IOStream stream)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(5));
        try
        {
            byte[] line = await stream.ReadUntilAsync("\n"u8, cancellationToken: limit.Token);
            Consume(line);
        }
        catch (OperationCanceledException)
        {
            // Nothing is lost: the part of the line that has arrived stays buffered for the next read of any kind.
            await stream.WriteAsync("Are you still there?\n"u8);
        }
    }

    internal static async Task LimitTime()
    {
        IOStreamOptions options = new()
        {
            ReadTimeout = TimeSpan.FromSeconds(30),                          // each read as a whole
            MinimumReadRate = new MinimumRate(240, TimeSpan.FromSeconds(5)), // in bytes a second, while a read waits
            MinimumWriteRate = new MinimumRate(240, TimeSpan.FromMinutes(1)), // while data waits to be sent; the stream closes
        };
        await using IOStream stream = await IOStream.ConnectAsync("example.com", 7, options);
        await stream.PeekAsync(1, timeout: TimeSpan.FromMinutes(5)); // instead of both: the peer may be idle between two messages
        byte[] message = await stream.ReadUntilAsync("\n"u8, maxBytes: 65536);
        Consume(message);
    }

    internal static async Task Write(IOStream stream, byte[] large)
    {
        await stream.WriteAsync("a header\n"u8);   // copied; sent at the end of the turn, together with what follows
        await stream.WriteAsync(large); // not copied: do not change the array until this has completed
        await stream.FlushAsync();                 // now the system has accepted all of it
    }

    internal static async Task Close(IOStream stream)
    {
        stream.SetCloseCallback(() => Console.WriteLine($"closed: {stream.CloseReason}, {stream.Error?.Message}"));
        stream.Closed.Register(() => Console.WriteLine("The peer has closed; there may still be unread data."));

        await stream.CompleteWritesAsync();             // sends FIN: no more data from us, but we keep reading
        byte[] answer = await stream.ReadUntilCloseAsync();
        await stream.CloseAsync(TimeSpan.FromSeconds(5)); // an orderly close; Close() would be immediate
        Consume(answer);
    }

    internal static async Task Serve()
    {
        using IOLoopGroup loops = new(Environment.ProcessorCount);
        await using TcpServer server = new(EchoAsync, new TcpServerOptions { Loops = loops });
        Console.WriteLine($"listening on {server.Listen(8888)}");
        server.Listen(new UnixDomainSocketEndPoint("/tmp/echo.sock"));

        // The loops have threads of their own, so this one has to wait: for Ctrl+C or SIGTERM.
        TaskCompletionSource end = new();
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        await end.Task;
        await server.StopAsync(drain: TimeSpan.FromSeconds(5));

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true; // the signal itself would end the process at once
            end.TrySetResult();
        }
    }

    internal static async Task EchoAsync(IOStream stream, CancellationToken stopping)
    {
        // Ends with a StreamClosedException when the client disconnects, or by the token when the server stops. The server treats both as normal.
        while (true)
        {
            byte[] line = await stream.ReadUntilAsync("\n"u8, maxBytes: 65536, stopping);
            await stream.WriteAsync(line, CancellationToken.None);
        }
    }

    internal static async Task TlsClient()
    {
        await using SslIOStream client = await SslIOStream.ConnectAsync("example.com", 443);
        Console.WriteLine($"{client.SslProtocol}, {client.RemoteCertificate?.Subject}");
    }

    internal static async Task<SslServerAuthenticationOptions> TlsServer(X509Certificate2 certificate)
    {
        SslServerAuthenticationOptions ssl = new() { ServerCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true) };
        await using TcpServer server = new(EchoAsync, new TcpServerOptions { Ssl = ssl });
        return ssl;
    }

    internal static async Task StartTls(IOStream stream)
    {
        await stream.WriteAsync("STARTTLS\r\n"u8);
        await stream.ReadUntilAsync("\r\n"u8, maxBytes: 512);
        IOStream secure = await stream.StartTlsAsync(new SslClientAuthenticationOptions { TargetHost = "mail.example.com" });
        await secure.WriteAsync("EHLO me\r\n"u8);
    }

    internal static async Task Child()
    {
        using Process child = Process.Start(new ProcessStartInfo("cat") { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        await using PipeIOStream input = new(((AnonymousPipeClientStream)child.StandardInput.BaseStream).SafePipeHandle);
        await using PipeIOStream output = new(((AnonymousPipeClientStream)child.StandardOutput.BaseStream).SafePipeHandle);
        await input.WriteLineAsync("hello");
        Console.WriteLine(await output.ReadLineAsync());
    }

    internal static void Callbacks(IOStream stream)
    {
        stream.Write("GET / HTTP/1.0\r\n\r\n"u8);
        stream.ReadUntil("\r\n\r\n"u8, head =>
        {
            Console.Write(Encoding.ASCII.GetString(head));
            stream.ReadUntilClose(body => Console.WriteLine($"{body.Length} bytes"));
        });
    }

    private static void Consume(ReadOnlySpan<byte> data) => _ = data;
}
