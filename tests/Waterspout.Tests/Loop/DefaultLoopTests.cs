using Waterspout.Loop;

namespace Waterspout.Tests;

public sealed class DefaultLoopTests : LoopTest
{
    [Fact]
    public void It_works_as_configured_before_its_first_use() => Check(() =>
    {
        DefaultLoop holder = new();
        IOLoopOptions options = new() { Name = "first", LoggerFactory = Log };
        holder.Configure(options);
        options.Name = "changed later";
        using IOLoop loop = holder.Loop;
        Assert.Equal("first", loop.Name);
        Assert.Same(loop, holder.Loop);
        Assert.Throws<InvalidOperationException>(() => holder.Configure(new IOLoopOptions()));
    });

    [Fact]
    public void The_last_of_several_configurations_counts() => Check(() =>
    {
        DefaultLoop holder = new();
        holder.Configure(new IOLoopOptions { Name = "first" });
        holder.Configure(new IOLoopOptions { Name = "second" });
        using IOLoop loop = holder.Loop;
        Assert.Equal("second", loop.Name);
    });

    [Fact]
    public void It_is_refused_after_the_first_use()
    {
        _ = IOLoop.Default;
        Assert.Throws<InvalidOperationException>(() => IOLoop.ConfigureDefault(new IOLoopOptions()));
        Assert.Throws<ArgumentOutOfRangeException>(() => IOLoop.ConfigureDefault(new IOLoopOptions { BusyPoll = TimeSpan.FromSeconds(-1) }));
        Assert.Throws<ArgumentNullException>(() => IOLoop.ConfigureDefault(null!));
    }
}
