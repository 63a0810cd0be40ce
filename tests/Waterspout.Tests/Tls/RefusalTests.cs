using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Waterspout.Tests.Tls;

/// <summary>A server that refuses a handshake sends the cause.</summary>
[OnEachPoller]
public sealed class RefusalTests : TlsTest
{
    private const byte Alert = 21; // the type of its record (RFC 8446, 5.1)

    [Fact]
    public void A_client_of_whose_offer_nothing_can_be_chosen_always_gets_the_alert() => Run(async () =>
    {
        await using TcpServer server = new(_ => Task.CompletedTask, new TcpServerOptions { Ssl = TestCertificates.ServerOptions() });
        IPEndPoint address = (IPEndPoint)server.Listen(0, "127.0.0.1");
        List<byte[]> answers = [];
        // Many, and several at a time: one thread writes the alert, and another notices that the handshake has failed.
        for (int i = 0; i < 50; i++) answers.AddRange(await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => AskAsync(address)))));
        Assert.Equal(0, answers.Count(static answer => answer is not [Alert, ..]));
    });

    private static async Task<byte[]> AskAsync(IPEndPoint address)
    {
        using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address);
        await socket.SendAsync(Hello());
        using NetworkStream stream = new(socket);
        using MemoryStream answer = new();
        await stream.CopyToAsync(answer);
        return answer.ToArray();
    }

    /// <summary>A ClientHello of TLS 1.3 with unknown groups only.</summary>
    private static byte[] Hello()
    {
        byte[][] groups = [.. Enumerable.Range(0, 20).Select(static i => U16(0x3000 + i))];
        byte[] extensions =
        [
            .. Extension(43, [2, 3, 4]), // supported_versions
            .. Extension(10, WithLength([.. groups.SelectMany(static group => group)])), // supported_groups
            .. Extension(13, WithLength([4, 3, 8, 4])), // signature_algorithms
            .. Extension(51, WithLength([.. groups.SelectMany(static group => (byte[])[.. group, .. WithLength(new byte[8])])])), // key_share
        ];
        byte[] body = [3, 3, .. RandomNumberGenerator.GetBytes(32), 0, .. WithLength([0x13, 1, 0x13, 2]), 1, 0, .. WithLength(extensions)];
        byte[] handshake = [1, 0, .. WithLength(body)];
        return [22, 3, 1, .. WithLength(handshake)];
    }

    private static byte[] Extension(int type, byte[] data) => [.. U16(type), .. WithLength(data)];

    private static byte[] WithLength(byte[] data) => [.. U16(data.Length), .. data];

    private static byte[] U16(int value)
    {
        byte[] bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)value);
        return bytes;
    }
}
