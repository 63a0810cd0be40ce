using System.Net;
using Waterspout.Connecting;

namespace Waterspout.Tests;

public sealed class HappyEyeballsTests
{
    [Theory]
    [InlineData("::1 ::2 1.1.1.1 2.2.2.2", "::1 1.1.1.1 ::2 2.2.2.2")]
    [InlineData("1.1.1.1 ::1 ::2", "1.1.1.1 ::1 ::2")]
    [InlineData("::1 ::2 ::3 1.1.1.1", "::1 1.1.1.1 ::2 ::3")]
    [InlineData("1.1.1.1 2.2.2.2", "1.1.1.1 2.2.2.2")]
    [InlineData("::1", "::1")]
    public void Families_alternate_beginning_with_that_of_the_first_address(string addresses, string expected)
    {
        List<IPEndPoint> order = HappyEyeballs.Interleave(addresses.Split(' ').Select(IPAddress.Parse), 80);
        Assert.Equal(expected, string.Join(' ', order.Select(address => address.Address)));
        Assert.All(order, address => Assert.Equal(80, address.Port));
    }
}
