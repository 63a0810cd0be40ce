using System.Diagnostics;

namespace Waterspout.Interop.Tests;

/// <summary>A program that runs beside the test, and is killed with it.</summary>
internal sealed class Child : IDisposable
{
    private readonly Process _process;

    private Child(Process process) => _process = process;

    internal sealed record Outcome(int ExitCode, byte[] Output, string Errors);

    internal int Id => _process.Id;

    internal int ExitCode => _process.ExitCode;

    internal static Child Start(string program, params string[] arguments) => Start(program, arguments, []);

    internal static Child Start(string program, string[] arguments, (string Name, string Value)[] environment)
    {
        ProcessStartInfo info = new(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string value) in environment) info.Environment[name] = value;
        return new Child(Process.Start(info)!);
    }

    /// <summary>Runs a program to its end.</summary>
    internal static async Task<Outcome> RunAsync(string program, params string[] arguments)
    {
        using Child child = Start(program, arguments);
        return await child.FinishAsync([]);
    }

    /// <summary>Gives the program its input, and waits for it to exit.</summary>
    internal async Task<Outcome> FinishAsync(byte[] input)
    {
        Task<string> errors = _process.StandardError.ReadToEndAsync();
        Task feeding = FeedAsync(input);
        using MemoryStream output = new();
        await _process.StandardOutput.BaseStream.CopyToAsync(output);
        await feeding;
        await WaitForExitAsync();
        return new Outcome(_process.ExitCode, output.ToArray(), await errors);
    }

    internal bool HasEnded => _process.HasExited;

    internal async Task<string?> ReadLineAsync() => await _process.StandardOutput.ReadLineAsync();

    internal async Task<string?> ReadErrorLineAsync() => await _process.StandardError.ReadLineAsync();

    /// <summary>Gives the program some input, and leaves the rest for later.</summary>
    internal async Task SayAsync(string text)
    {
        await _process.StandardInput.WriteAsync(text);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Closes the program's input, and waits for it to exit. Returns the output that was not read as lines.</summary>
    internal async Task<(int ExitCode, string Output, string Errors)> EndInputAsync()
    {
        Task<string> errors = _process.StandardError.ReadToEndAsync();
        _process.StandardInput.Close();
        string output = await _process.StandardOutput.ReadToEndAsync();
        await WaitForExitAsync();
        return (_process.ExitCode, output, await errors);
    }

    internal Task WaitForExitAsync() => _process.WaitForExitAsync(TestContext.Current.CancellationToken);

    /// <summary>Sends a signal by its name, without the "SIG".</summary>
    internal async Task SignalAsync(string name)
    {
        Outcome sent = await RunAsync("/bin/sh", "-c", $"kill -{name} {_process.Id}");
        Assert.Equal(0, sent.ExitCode);
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private async Task FeedAsync(byte[] input)
    {
        try
        {
            await _process.StandardInput.BaseStream.WriteAsync(input);
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The program has exited without reading everything; the test checks its output.
        }
    }
}
