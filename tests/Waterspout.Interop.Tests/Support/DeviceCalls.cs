namespace Waterspout.Interop.Tests;

/// <summary>Programs over standard streams and a terminal.</summary>
internal static class DeviceCalls
{
    /// <summary>Copies the first line of standard input to standard output, and writes how many bytes follow it.</summary>
    internal static void CountInput()
    {
        using IOLoop loop = new();
        loop.RunSync(async () =>
        {
            await using PipeIOStream input = new(0);
            await using PipeIOStream output = new(1);
            await output.WriteLineAsync(await input.ReadLineAsync() ?? "nothing");
            long count = 0;
            await foreach (ReadOnlyMemory<byte> chunk in input.ReadChunksAsync()) count += chunk.Length;
            await output.WriteLineAsync($"{count}");
        });
    }

    /// <summary>Holds a terminal in raw mode until it is ended in a way that its input names.</summary>
    internal static void HoldTerminal(string path)
    {
        using IOLoop loop = new();
        loop.RunSync(async () =>
        {
            PipeIOStream terminal = PipeIOStream.Open(path, FileAccess.ReadWrite, terminal: new TerminalOptions { Raw = true, Speed = 1200 });
            await terminal.WriteAsync("ready\n"u8);
            string? wish = await terminal.ReadUntilAsync("."u8, static bytes => System.Text.Encoding.ASCII.GetString(bytes));
            if (wish == "exit.") Environment.Exit(0);
            Thread failing = new(static () => throw new InvalidOperationException("as wished"));
            failing.Start();
            failing.Join();
        });
    }
}
