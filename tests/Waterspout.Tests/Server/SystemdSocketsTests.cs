namespace Waterspout.Tests;

/// <summary>The environment variables of socket activation. With real descriptors: the interop tests.</summary>
public sealed class SystemdSocketsTests
{
    [Fact]
    public void Without_the_variables_there_are_no_sockets()
    {
        Assert.Empty(Read([]));
        Assert.Empty(SystemdSockets.Take());
    }

    [Fact]
    public void Variables_for_another_process_are_not_used() => Assert.Empty(Read(new() { ["LISTEN_PID"] = "43", ["LISTEN_FDS"] = "2" }));

    [Fact]
    public void Descriptors_have_their_names_or_that_of_unknown_ones()
    {
        Assert.Equal(["http", "https"], Read(new() { ["LISTEN_PID"] = "42", ["LISTEN_FDS"] = "2", ["LISTEN_FDNAMES"] = "http:https" }));
        Assert.Equal(["http", "unknown"], Read(new() { ["LISTEN_PID"] = "42", ["LISTEN_FDS"] = "2", ["LISTEN_FDNAMES"] = "http" }));
        Assert.Equal(["unknown"], Read(new() { ["LISTEN_PID"] = "42", ["LISTEN_FDS"] = "1" }));
    }

    [Theory]
    [InlineData("many")]
    [InlineData("-1")]
    [InlineData("")]
    [InlineData("2147483647")]
    public void A_number_that_is_none_is_an_error(string number)
    {
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => Read(new() { ["LISTEN_PID"] = "42", ["LISTEN_FDS"] = number }));
        Assert.Contains($"LISTEN_FDS is '{number}'", error.Message);
    }

    private static IReadOnlyList<string> Read(Dictionary<string, string> variables) => SystemdSockets.ReadNames(variables.GetValueOrDefault, 42);
}
