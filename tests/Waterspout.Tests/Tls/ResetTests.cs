using System.Net.Sockets;

namespace Waterspout.Tests.Tls;

/// <summary>The connection is lost under a TLS stream.</summary>
public sealed class ResetTests : TlsTest
{
    [Fact]
    public void What_was_written_before_a_reset_is_known_fails() => Run(async () =>
    {
        (SslIOStream left, SslIOStream right) = await ConnectPairAsync();
        ValueTask<byte[]> read = right.ReadBytesAsync(1);
        Reset(right);
        await Assert.ThrowsAsync<StreamClosedException>(read.AsTask);
        byte[] data = new byte[24_000_000];
        Task write = left.WriteAsync((ReadOnlyMemory<byte>)data).AsTask();
        Task small = left.WriteAsync((ReadOnlyMemory<byte>)data[..10_000]).AsTask();
        Task flush = left.FlushAsync().AsTask();
        foreach (Task pending in (Task[])[write, small, flush])
            Assert.Equal(CloseReason.Reset, (await Assert.ThrowsAsync<StreamClosedException>(() => pending)).Reason);
        Assert.IsType<SocketException>(left.Error);
    });
}
