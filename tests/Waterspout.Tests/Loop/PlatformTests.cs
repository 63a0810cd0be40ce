using System.Runtime.Versioning;
using Waterspout.Polling;

namespace Waterspout.Tests;

public sealed class PlatformTests
{
    [Theory]
    [InlineData(PollerKind.Default)]
    [InlineData(PollerKind.Epoll)]
    [InlineData(PollerKind.Portable)]
    public void A_loop_on_another_system_than_Linux_is_refused_with_a_clear_exception(PollerKind kind)
    {
        PlatformNotSupportedException error = Assert.Throws<PlatformNotSupportedException>(() => PollerFactory.Create(kind, isLinux: false));
        Assert.Contains("Linux", error.Message);
    }

    [Fact]
    public void The_assembly_says_that_it_is_for_Linux()
    {
        object[] platforms = typeof(IOLoop).Assembly.GetCustomAttributes(typeof(SupportedOSPlatformAttribute), inherit: false);
        Assert.Equal("linux", Assert.IsType<SupportedOSPlatformAttribute>(Assert.Single(platforms)).PlatformName);
    }
}
