using System.Diagnostics;
using Waterspout;

namespace Supervisor;

/// <summary>What is done with a program that ends, or that has to end.</summary>
internal sealed record Policy(int Restarts, TimeSpan Grace);

/// <summary>One program that is kept running.</summary>
internal sealed class Service(string name, string command, Policy policy)
{
    /// <summary>Ends when the program has succeeded, has failed too often, or is to stop.</summary>
    /// <returns>The last exit code.</returns>
    internal async Task<int> RunAsync(CancellationToken stopping)
    {
        TimeSpan pause = TimeSpan.FromMilliseconds(50);
        for (int starts = 0; ; starts++)
        {
            int code = await RunOnceAsync(stopping);
            Print($"has ended with {code}");
            if (code == 0 || starts == policy.Restarts || stopping.IsCancellationRequested) return code;
            await Task.Delay(pause, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            pause *= 2;
        }
    }

    private async Task<int> RunOnceAsync(CancellationToken stopping)
    {
        await using ChildProcess child = ChildProcess.Start(new ProcessStartInfo("sh", ["-c", command]));
        Print($"is process {child.Id}");
        child.StandardInput.Close();
        Task output = PrintLinesAsync(child.StandardOutput, "");
        Task errors = PrintLinesAsync(child.StandardError, "! ");
        int code;
        try
        {
            code = await child.WaitForExitAsync(stopping);
        }
        catch (OperationCanceledException)
        {
            code = await child.StopAsync(policy.Grace);
        }

        await Task.WhenAll(output, errors); // what it has printed last
        return code;
    }

    private async Task PrintLinesAsync(PipeIOStream stream, string mark)
    {
        while (await ReadLineAsync(stream) is { } line) Print(mark + line);
    }

    /// <summary>A program that prints without an end of line holds neither memory nor the lines that follow.</summary>
    private static async ValueTask<string?> ReadLineAsync(PipeIOStream stream)
    {
        try
        {
            return await stream.ReadLineAsync(maxBytes: 64 * 1024);
        }
        catch (UnsatisfiableReadException)
        {
            long length = await stream.DiscardUntilAsync("\n"u8);
            return $"(a line of {length} bytes)";
        }
    }

    private void Print(string text) => Console.WriteLine($"[{name}] {text}");
}
