namespace Waterspout.Tests.Tls;

/// <summary>The session tickets of TLS 1.3, which stay in the kernel if a client reads nothing.</summary>
[OnEachPoller]
public sealed class UnreadTicketTests : TlsTest
{
    [Fact]
    public void A_client_that_reads_nothing_loses_nothing_by_its_close() => Run(async () =>
    {
        (SslIOStream client, SslIOStream server) = await ConnectPairAsync();
        byte[] data = new byte[24 * 1024 * 1024];
        Task write = client.WriteAsync(data.AsMemory()).AsTask();
        await Turns(5);
        client.Close();
        await Assert.ThrowsAsync<StreamClosedException>(() => write);
        string line = Assert.Single(Log.Lines, static line => line.Message.Contains("were written and not sent")).Message;
        int sent = data.Length - int.Parse(line.Split(' ')[^7]);
        Assert.Equal(sent, (await server.ReadBytesAsync(sent)).Length);
        StreamClosedException end = await Assert.ThrowsAsync<StreamClosedException>(() => server.ReadBytesAsync(1).AsTask());
        Assert.Equal(CloseReason.Truncated, end.Reason);
    }, "bytes were written and not sent");
}
