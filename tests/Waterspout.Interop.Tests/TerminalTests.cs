using System.Text;
using System.Text.RegularExpressions;

namespace Waterspout.Interop.Tests;

/// <summary>A terminal whose settings a program has changed gets them back, however the program ends.</summary>
public sealed partial class TerminalTests
{
    [Theory]
    [InlineData("exit", 0)]
    [InlineData("throw", 134)]
    [InlineData("TERM", 143)]
    [InlineData("INT", 130)]
    [InlineData("HUP", 129)]
    [InlineData("QUIT", 131)]
    public void A_terminal_is_restored_at_the_end_of_the_process(string end, int code) => TestLoop.Run(async () =>
    {
        using Child socat = Child.Start(Tool.Require("socat"), "-d", "-d", "PTY", "STDIO");
        string path = Device().Match(await socat.ReadErrorLineAsync() ?? "").Value;
        string before = await SettingsOf(path);
        using Child program = Child.Start("sh", "-c", $"export TERMINAL={path}; echo $$; exec env {ChildPrograms.Command(ChildPrograms.RawTerminal)}");
        // The shell's own process becomes the program. One in the background would ignore two of the signals.
        int id = int.Parse((await program.ReadLineAsync())!);
        Assert.Equal("ready", await socat.ReadLineAsync());
        string during = await SettingsOf(path);
        Assert.NotEqual(before, during);
        if (end is "exit" or "throw") await socat.SayAsync($"{end}.");
        else await Child.RunAsync("kill", $"-{end}", $"{id}");
        await program.WaitForExitAsync();
        Assert.Equal(code, program.ExitCode);
        Assert.Equal(before, await SettingsOf(path));
    });

    private static async Task<string> SettingsOf(string path)
    {
        Child.Outcome outcome = await Child.RunAsync("stty", "-g", "-F", path);
        Assert.Equal(0, outcome.ExitCode);
        return Encoding.ASCII.GetString(outcome.Output);
    }

    [GeneratedRegex("/dev/pts/[0-9]+")]
    private static partial Regex Device();
}
