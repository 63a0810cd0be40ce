using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

/// <summary>Many connections, one after the other.</summary>
public sealed class CycleTests : TlsTest
{
    [Theory]
    [MemberData(nameof(Protocols))]
    public void Upgrades_one_after_the_other_all_succeed(SslProtocols protocol) => Run(async () =>
    {
        UpgradedPairs pairs = new(protocol, isClientLeft: true);
        for (int i = 0; i < 300; i++)
        {
            (BaseIOStream left, BaseIOStream right) = await pairs.ConnectAsync(null);
            await AssertEchoes((SslIOStream)left, (SslIOStream)right);
            await Task.WhenAll(left.CloseAsync().AsTask(), right.CloseAsync().AsTask());
        }
    });
}
