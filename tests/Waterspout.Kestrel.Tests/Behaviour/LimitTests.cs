using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Waterspout.Kestrel.Tests.Behaviour;

/// <summary>Kestrel's limits for what clients send.</summary>
public sealed class LimitTests
{
    [Theory, OnEachTransport]
    public async Task A_client_below_the_minimum_rate_of_bodies_is_refused(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartAsync(
            transport,
            static app => app.MapPost("/", static async context => await context.Request.Body.CopyToAsync(Stream.Null)),
            static _ => { },
            static kestrel => kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(1e6, TimeSpan.FromSeconds(1.1)));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n12345");
        Assert.StartsWith("HTTP/1.1 408 ", await client.ReadToEndAsync().InTime(), StringComparison.Ordinal);
    }

    [Theory, OnEachTransport]
    public async Task A_client_that_does_not_end_its_headers_is_refused(TransportKind transport)
    {
        await using TestServer server = await TestServer.StartAsync(
            transport, static _ => { }, static _ => { }, static kestrel => kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(1));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: ");
        Assert.StartsWith("HTTP/1.1 408 ", await client.ReadToEndAsync().InTime(), StringComparison.Ordinal);
    }

    [Theory, OnEachTransport]
    public Task A_held_back_upload_with_the_smallest_buffer(TransportKind transport) => UploadAsync(transport, 64);

    [Theory, OnEachTransport]
    public Task A_held_back_upload_with_a_buffer_of_a_megabyte(TransportKind transport) => UploadAsync(transport, 1024 * 1024);

    [Theory, OnEachTransport]
    public Task A_held_back_upload_with_any_buffer(TransportKind transport) => UploadAsync(transport, null);

    private static async Task UploadAsync(TransportKind transport, long? buffer)
    {
        using SemaphoreSlim next = new(0);
        await using TestServer server = await TestServer.StartAsync(
            transport,
            app => app.MapPost("/", async context =>
            {
                using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                byte[] data = new byte[100_000];
                for (int total = 0, count; (count = await context.Request.Body.ReadAsync(data)) > 0; total += count)
                {
                    // Not before the client has sent as much as it can.
                    if (total == 0) await next.WaitAsync();
                    hash.AppendData(data, 0, count);
                }

                await context.SendAsync("<" + Convert.ToHexString(hash.GetHashAndReset()) + ">");
            }),
            static _ => { },
            kestrel =>
            {
                kestrel.Limits.MaxRequestLineSize = 64;
                kestrel.Limits.MaxRequestBufferSize = buffer;
                kestrel.Limits.MaxRequestHeadersTotalSize = 64;
                kestrel.Limits.MaxRequestBodySize = null;
            });
        using RawClient client = await server.ConnectAsync();
        byte[] data = RandomNumberGenerator.GetBytes(12_000_000);
        await client.SendAsync($"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {data.Length}\r\n\r\n");
        Task sending = client.SendAsync(data);
        await client.SendAsync(ReadOnlyMemory<byte>.Empty);
        next.Release();
        await sending.InTime();
        await client.ReadUntilAsync("<" + Convert.ToHexString(SHA256.HashData(data)) + ">").InTime();
    }
}
