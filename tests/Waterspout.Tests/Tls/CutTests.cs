using System.Net.Security;
using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

/// <summary>The connection is cut behind each of its bytes.</summary>
public sealed class CutTests : TlsTest
{
    [Theory]
    [InlineData(SslProtocols.Tls12, true, false)]
    [InlineData(SslProtocols.Tls12, false, true)]
    [InlineData(SslProtocols.Tls13, true, true)]
    [InlineData(SslProtocols.Tls13, false, false)]
    public void A_cut_is_always_told_and_never_brings_data_that_was_not_sent(SslProtocols protocol, bool isFromClient, bool isReset) => Run(async () =>
    {
        int whole = await TalkAsync(protocol, isFromClient, isReset, int.MaxValue, expectsCut: false);
        Assert.InRange(whole, 200, 4000);
        // The length of a signature differs from one handshake to the next by a few bytes.
        whole -= 8;
        for (int position = 0; position < whole; position += 50)
        {
            await Task.WhenAll(Enumerable.Range(position, Math.Min(50, whole - position))
                .Select(cut => TalkAsync(protocol, isFromClient, isReset, cut, expectsCut: true)));
        }
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_cut_in_the_middle_of_a_record_is_a_truncation_whatever_is_allowed(bool isAllowed) => Run(async () =>
    {
        Relay relay = new Relay().Start();
        SslIOStream client = new(relay.Left, TestCertificates.ClientOptions(), new IOStreamOptions { AllowTruncation = isAllowed });
        SslIOStream server = new(relay.Right, TestCertificates.ServerOptions());
        await AssertEchoes(client, server);
        Task<byte[]> read = client.ReadUntilCloseAsync().AsTask();
        await server.WriteAsync("whole"u8);
        await server.FlushAsync();
        int position = relay.FromRight.Count;
        while (relay.FromRight.Count == position) await Turn();
        relay.CutFromRight = relay.FromRight.Count + 10;
        await server.WriteAsync("cut in the middle"u8);
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(() => read);
        Assert.Equal(CloseReason.Truncated, error.Reason);
        Assert.Equal(CloseReason.Truncated, client.CloseReason);
        Assert.Equal("whole", Text(await client.ReadBytesAsync(5)));
    });

    /// <summary>A handshake, a word in each direction, an end in order. Tells how many bytes went in the direction that is cut.</summary>
    private static async Task<int> TalkAsync(SslProtocols protocol, bool isFromClient, bool isReset, int cut, bool expectsCut)
    {
        Relay relay = new() { CutsByReset = isReset };
        if (isFromClient) relay.CutFromLeft = cut;
        else relay.CutFromRight = cut;
        relay.Start();
        SslServerAuthenticationOptions serverOptions = TestCertificates.ServerOptions();
        serverOptions.EnabledSslProtocols = protocol;
        SslClientAuthenticationOptions clientOptions = TestCertificates.ClientOptions();
        clientOptions.AllowTlsResume = false;
        SslIOStream client = new(relay.Left, clientOptions), server = new(relay.Right, serverOptions);
        Task<bool> asked = SayAsync(client, "request", "answer"), answered = SayAsync(server, "answer", "request");
        bool[] isRegular = await Task.WhenAll(asked, answered);
        // Of the last bytes, those of the other side's close_notify, one side has no need.
        if (expectsCut) Assert.False(isRegular[0] && isRegular[1], $"The cut at {cut} was not told.");
        else Assert.True(isRegular[0] && isRegular[1]);
        return (isFromClient ? relay.FromLeft : relay.FromRight).Count;
    }

    private static async Task<bool> SayAsync(SslIOStream stream, string mine, string others)
    {
        try
        {
            await stream.WriteAsync(Bytes(mine));
            await stream.CompleteWritesAsync();
            Assert.Equal(others, Text(await stream.ReadUntilCloseAsync()));
            return true;
        }
        catch (StreamClosedException)
        {
            Assert.StartsWith(await ReadRestAsync(stream), others);
            return false;
        }
    }

    private static async Task<string> ReadRestAsync(SslIOStream stream)
    {
        try
        {
            return Text(await stream.ReadBytesAsync(100, partial: true));
        }
        catch (StreamClosedException)
        {
            return "";
        }
    }
}
