using System.Diagnostics;
using System.Text;
using Waterspout;

namespace Snippets;

internal static class Processes
{
    internal static async Task<string> Sort(int[] numbers)
    {
        await using ChildProcess child = ChildProcess.Start(new ProcessStartInfo("sort", ["-n"]));
        Task<byte[]> errors = child.DrainErrorAsync();
        Task<byte[]> sorted = child.StandardOutput.ReadUntilCloseAsync().AsTask();
        foreach (int number in numbers) await child.StandardInput.WriteLineAsync($"{number}");
        await child.StandardInput.CloseAsync(); // the end of its input
        string answer = Encoding.UTF8.GetString(await sorted);
        int code = await child.WaitForExitAsync();
        if (code != 0) throw new InvalidOperationException($"sort: {code}: {Encoding.UTF8.GetString(await errors)}");
        return answer;
    }

    internal static async Task<int> Make(CancellationToken stopping)
    {
        ChildProcessOptions options = new() { TimeLimit = TimeSpan.FromSeconds(30) };
        await using ChildProcess child = ChildProcess.Start(new ProcessStartInfo("make"), options);
        try
        {
            await child.StandardOutput.ReadUntilCloseAsync(stopping);
            return await child.WaitForExitAsync(stopping);
        }
        catch (OperationCanceledException)
        {
            return await child.StopAsync(grace: TimeSpan.FromSeconds(5)); // SIGTERM, and SIGKILL for what is left after five seconds
        }
    }

    internal static int Inherit()
    {
        ChildProcessOptions options = new() { Redirect = StandardStreams.Input | StandardStreams.Output };
        using ChildProcess shell = ChildProcess.Start(new ProcessStartInfo("bash", ["-i"]), options);
        return shell.Id;
    }
}
