using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Waterspout.Kestrel.Tests.Applications;

/// <summary>Large bodies in each direction, with hashes.</summary>
/// <remarks>With WATERSPOUT_FULL=1 in the environment three gibibytes over each wire, instead of 64 mebibytes.</remarks>
public sealed class UploadTests
{
    private static readonly long s_size = Full.IsOn ? 3L << 30 : 64L << 20;

    [Theory, OnEachWire]
    public async Task An_upload_arrives_whole(TransportKind transport, Wire wire)
    {
        await using TestServer server = await TestServer.StartAsync(transport, wire, static app => app.MapPost("/", static async context =>
            await context.Response.WriteAsync(Convert.ToHexString(await SHA256.HashDataAsync(context.Request.Body)))));
        using HttpClient client = server.CreateWireClient();
        client.Timeout = Full.IsOn ? TimeSpan.FromMinutes(10) : Waiting.Limit;
        using Pattern pattern = new(s_size);
        using HttpResponseMessage response = await client.PostAsync("/", pattern);
        Assert.Equal(Convert.ToHexString(await pattern.Hash), await response.Content.ReadAsStringAsync());
    }

    [Theory, OnEachWire]
    public async Task A_download_arrives_whole(TransportKind transport, Wire wire)
    {
        using Pattern pattern = new(s_size);
        await using TestServer server = await TestServer.StartAsync(
            transport, wire, app => app.MapGet("/", context => pattern.CopyToAsync(context.Response.Body)));
        using HttpClient client = server.CreateWireClient();
        byte[] received = await SHA256.HashDataAsync(await client.GetStreamAsync("/"));
        Assert.Equal(await pattern.Hash, received);
    }

    /// <summary>A body of a size, and the hash of what was sent.</summary>
    private sealed class Pattern(long size) : HttpContent
    {
        private readonly TaskCompletionSource<byte[]> _hash = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task<byte[]> Hash => _hash.Task;

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            Random random = new(1);
            byte[] data = new byte[100_000];
            random.NextBytes(data);
            for (long left = size; left > 0;)
            {
                BinaryPrimitives.WriteInt64LittleEndian(data, left);
                int count = (int)Math.Min(left, random.Next(1, data.Length));
                hash.AppendData(data, 0, count);
                await stream.WriteAsync(data.AsMemory(0, count));
                left -= count;
            }

            _hash.SetResult(hash.GetHashAndReset());
        }

        protected override bool TryComputeLength(out long length)
        {
            length = size;
            return true;
        }
    }
}
