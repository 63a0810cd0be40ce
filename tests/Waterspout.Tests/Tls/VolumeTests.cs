using System.Net.Security;
using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

/// <summary>Much data in both directions at once, in writes around the size of a record.</summary>
/// <remarks>With WATERSPOUT_FULL=1 in the environment a gibibyte in each direction.</remarks>
public sealed class VolumeTests : TlsTest
{
    private const int LargestWrite = 65536;
    private const int Period = 251; // does not divide any size that matters
    private static readonly int[] s_sizes = [0, 1, 16383, 16384, 16385, LargestWrite];
    private static readonly long s_total = Environment.GetEnvironmentVariable("WATERSPOUT_FULL") == "1" ? 1L << 30 : 8 << 20;
    private static readonly byte[] s_pattern = [.. Enumerable.Range(0, LargestWrite + Period).Select(i => (byte)(i % Period))];

    [Theory]
    [MemberData(nameof(Protocols))]
    public void Both_directions_at_once_keep_every_byte(SslProtocols protocol) => Run(async () =>
    {
        SslServerAuthenticationOptions options = TestCertificates.ServerOptions();
        options.EnabledSslProtocols = protocol;
        (SslIOStream client, SslIOStream server) = await ConnectPairAsync(server: options);
        Assert.Equal(protocol, client.SslProtocol);
        await Task.WhenAll(SendAsync(client), SendAsync(server), ReceiveAsync(client), ReceiveAsync(server));
        await Task.WhenAll(client.CloseAsync().AsTask(), server.CloseAsync().AsTask());
    });

    private static async Task SendAsync(SslIOStream stream)
    {
        long sent = 0;
        for (int i = 0; sent < s_total; i++)
        {
            int size = (int)Math.Min(s_sizes[i % s_sizes.Length], s_total - sent);
            await stream.WriteAsync(s_pattern.AsMemory((int)(sent % Period), size));
            sent += size;
        }
    }

    private static async Task ReceiveAsync(SslIOStream stream)
    {
        byte[] buffer = new byte[50_000];
        for (long received = 0; received < s_total;)
        {
            int count = await stream.ReadIntoAsync(buffer, partial: true);
            Assert.True(s_pattern.AsSpan((int)(received % Period), count).SequenceEqual(buffer.AsSpan(0, count)), $"Wrong data behind byte {received}.");
            received += count;
        }
    }
}
