using System.Net.Sockets;
using System.Text;
using Waterspout;

namespace ForwardProxy;

/// <summary>One client: its request, a connection to where it wants to go, and then bytes both ways.</summary>
internal static class Tunnel
{
    private const int LongestHead = 16 * 1024;

    private static readonly IOStreamOptions s_outgoing = new() { AllowHalfOpen = true, ConnectTimeout = TimeSpan.FromSeconds(10) };

    internal static async Task ServeAsync(IOStream client, CancellationToken stopping)
    {
        try
        {
            string head = await client.ReadUntilAsync("\r\n\r\n"u8, Encoding.ASCII.GetString, LongestHead, stopping, TimeSpan.FromSeconds(10));
            if (await TryConnectAsync(client, head, stopping) is not { } server) return;
            await using (server)
            {
                await client.WriteAsync("HTTP/1.1 200 Connection established\r\n\r\n", cancellationToken: stopping);
                await RelayAsync(client, server, stopping);
            }
        }
        catch (UnsatisfiableReadException)
        {
            await RefuseAsync(client, "431 Request Header Fields Too Large");
        }
        catch (TimeoutException)
        {
            await RefuseAsync(client, "408 Request Timeout");
        }
    }

    private static async Task<IOStream?> TryConnectAsync(IOStream client, string head, CancellationToken stopping)
    {
        string[] request = head[..head.IndexOf('\r')].Split(' ');
        if (request is not ["CONNECT", string target, _] || !Uri.TryCreate($"tcp://{target}", UriKind.Absolute, out Uri? uri) || uri.Port <= 0)
        {
            await RefuseAsync(client, request is ["CONNECT", ..] ? "400 Bad Request" : "405 Method Not Allowed");
            return null;
        }

        try
        {
            return await IOStream.ConnectAsync(uri.DnsSafeHost, uri.Port, s_outgoing, stopping);
        }
        catch (Exception error) when (error is TimeoutException or StreamClosedException or SocketException)
        {
            await RefuseAsync(client, error is TimeoutException ? "504 Gateway Timeout" : "502 Bad Gateway");
            return null;
        }
    }

    /// <summary>Passes on each end by itself. When one direction fails, the other one has nobody to serve.</summary>
    private static async Task RelayAsync(IOStream client, IOStream server, CancellationToken stopping)
    {
        using CancellationTokenSource failed = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        await Task.WhenAll(PumpAsync(client, server, failed), PumpAsync(server, client, failed));
    }

    private static async Task PumpAsync(IOStream from, IOStream to, CancellationTokenSource failed)
    {
        try
        {
            await foreach (ReadOnlyMemory<byte> piece in from.ReadChunksAsync(cancellationToken: failed.Token))
                await to.WriteAsync(piece.Span, failed.Token); // copied: the piece is the stream's own buffer
            await to.CompleteWritesAsync(failed.Token);
        }
        catch (Exception error) when (error is StreamClosedException or OperationCanceledException)
        {
            await failed.CancelAsync();
            to.Close(error);
        }
    }

    private static async Task RefuseAsync(IOStream client, string status)
    {
        await client.WriteAsync($"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
}
