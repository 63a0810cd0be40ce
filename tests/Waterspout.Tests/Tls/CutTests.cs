using System.Net.Security;
using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

/// <summary>The connection is cut after each of its bytes.</summary>
/// <remarks>Without WATERSPOUT_FULL=1 in the environment, behind some only of those in the middle of a record.</remarks>
public sealed class CutTests : TlsTest
{
    public static TheoryData<SslProtocols, bool, bool> Cuts
    {
        get
        {
            TheoryData<SslProtocols, bool, bool> cuts = [];
            foreach (SslProtocols protocol in (SslProtocols[])[SslProtocols.Tls12, SslProtocols.Tls13])
                foreach (bool isFromClient in (bool[])[true, false])
                    foreach (bool isReset in (bool[])[true, false])
                        cuts.Add(protocol, isFromClient, isReset);
            return cuts;
        }
    }

    [Theory]
    [MemberData(nameof(Cuts))]
    public void A_cut_is_always_reported_and_never_adds_data(SslProtocols protocol, bool isFromClient, bool isReset) => Run(async () =>
    {
        byte[] whole = await TalkAsync(protocol, isFromClient, isReset, null);
        Assert.InRange(whole.Length, 200, 4000);
        List<RecordPosition> positions = RecordPosition.All(whole);
        Assert.Equal(whole.Length, positions.Count);
        if (Environment.GetEnvironmentVariable("WATERSPOUT_FULL") != "1") positions.RemoveAll(static position => position.Offset > 40 && position.Offset % 7 != 0);
        foreach (RecordPosition[] some in positions.Chunk(50))
            await Task.WhenAll(some.Select(position => TalkAsync(protocol, isFromClient, isReset, position)));
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_cut_within_a_record_is_always_a_truncation(bool isAllowed) => Run(async () =>
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
        position = relay.FromRight.Count;
        relay.CutFromRight = _ => position + 10;
        await server.WriteAsync("cut in the middle"u8);
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(() => read);
        Assert.Equal(CloseReason.Truncated, error.Reason);
        Assert.Equal(CloseReason.Truncated, client.CloseReason);
        Assert.Equal("whole", Text(await client.ReadBytesAsync(5)));
    });

    /// <summary>A handshake, a word in each direction, an orderly close. Returns the bytes of the direction that is cut.</summary>
    private static async Task<byte[]> TalkAsync(SslProtocols protocol, bool isFromClient, bool isReset, RecordPosition? cut)
    {
        Relay relay = new() { CutsByReset = isReset };
        if (isFromClient) relay.CutFromLeft = bytes => cut?.FindIn(bytes);
        else relay.CutFromRight = bytes => cut?.FindIn(bytes);
        relay.Start();
        SslServerAuthenticationOptions serverOptions = TestCertificates.ServerOptions();
        serverOptions.EnabledSslProtocols = protocol;
        SslClientAuthenticationOptions clientOptions = TestCertificates.ClientOptions();
        clientOptions.AllowTlsResume = false;
        SslIOStream client = new(relay.Left, clientOptions), server = new(relay.Right, serverOptions);
        Task<bool> asked = SayAsync(client, "request", "answer"), answered = SayAsync(server, "answer", "request");
        bool[] isRegular = await Task.WhenAll(asked, answered);
        // One side does not need the last bytes, those of the other side's close_notify.
        Assert.True((isRegular[0] && isRegular[1]) == (cut is null), $"The cut at {cut} was not told.");
        return [.. isFromClient ? relay.FromLeft : relay.FromRight];
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
