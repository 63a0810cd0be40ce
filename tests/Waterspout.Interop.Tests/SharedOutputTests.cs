using System.Text;

namespace Waterspout.Interop.Tests;

/// <summary>Standard output is shared with later programs of a pipeline.</summary>
public sealed class SharedOutputTests
{
    [Fact]
    public void A_program_that_exits_with_its_stream_open_leaves_standard_output_as_it_was() => TestLoop.Run(async () =>
    {
        string command = $"( {ChildPrograms.Command(ChildPrograms.ExitWithSharedOutput)}; grep flags /proc/self/fdinfo/3 3>&1 >&2 ) | cat";
        Child.Outcome outcome = await Child.RunAsync("sh", "-c", command);
        Assert.Equal("hello\n", Encoding.ASCII.GetString(outcome.Output));
        int flags = Convert.ToInt32(outcome.Errors.Split('\t', StringSplitOptions.TrimEntries)[1], 8);
        Assert.Equal(0, flags & 0x800 /* O_NONBLOCK */);
    });
}
