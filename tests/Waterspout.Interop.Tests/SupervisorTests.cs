using System.Text;

namespace Waterspout.Interop.Tests;

/// <summary>The Supervisor sample with programs that end, fail, flood and do not want to end.</summary>
public sealed class SupervisorTests
{
    private static readonly string s_program = Repository.Sample("Supervisor");

    [Fact]
    public async Task A_program_that_fails_is_started_again_and_one_that_succeeds_is_not()
    {
        Child.Outcome outcome = await Child.RunAsync(s_program, "--restarts", "2", "echo failing >&2; exit 3", "echo done");
        string[] lines = Encoding.UTF8.GetString(outcome.Output).Split('\n');
        Assert.Equal(3, lines.Count(static line => line == "[1] ! failing"));
        Assert.Equal(3, lines.Count(static line => line == "[1] has ended with 3"));
        Assert.Equal(1, lines.Count(static line => line == "[2] done"));
        Assert.Equal(3, outcome.ExitCode);
        Assert.Equal("", outcome.Errors);
    }

    [Fact]
    public async Task A_line_without_an_end_holds_neither_memory_nor_what_follows()
    {
        Child.Outcome outcome = await Child.RunAsync(s_program, "head -c 100000000 /dev/zero; echo; echo after");
        string printed = Encoding.UTF8.GetString(outcome.Output);
        Assert.Contains("[1] (a line of 100000001 bytes)\n[1] after\n", printed);
        Assert.Equal(0, outcome.ExitCode);
    }

    [Fact]
    public async Task Programs_are_asked_to_end_and_killed_if_they_do_not()
    {
        using Child supervisor = Child.Start(
            s_program, "--grace", "0.2", "trap 'echo asked; exit 0' TERM; echo ready; while :; do sleep 0.05; done", "trap '' TERM; echo deaf; while :; do sleep 0.05; done");
        List<string> printed = [];
        while (!printed.Contains("[1] ready") || !printed.Contains("[2] deaf")) printed.Add((await supervisor.ReadLineAsync())!);
        await supervisor.SignalAsync("TERM");
        Child.Outcome outcome = await supervisor.FinishAsync([]);
        string rest = Encoding.UTF8.GetString(outcome.Output);
        Assert.Contains("[1] asked\n", rest);
        Assert.Contains("[1] has ended with 0\n", rest);
        Assert.Contains("[2] has ended with 137\n", rest);
        Assert.Equal(137, outcome.ExitCode);
    }
}
