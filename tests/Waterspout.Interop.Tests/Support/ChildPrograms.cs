using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Waterspout.Interop.Tests;

/// <summary>
/// Programs that this assembly runs when it is started with their names: tests that end or limit a whole process need their own.
/// </summary>
internal static partial class ChildPrograms
{
    private const string Variable = "WATERSPOUT_CHILD_PROGRAM";

    internal const string ExitWithSharedOutput = "exit-with-shared-output";
    internal const string CountInput = "count-input";
    internal const string RawTerminal = "raw-terminal";
    internal const string WithoutDescriptors = "without-descriptors";

    /// <summary>A shell command that runs the program.</summary>
    /// <remarks>Without the runtime's own threads, which crash when no descriptor is free.</remarks>
    internal static string Command(string program) => $"{Variable}={program} DOTNET_EnableDiagnostics=0 DOTNET_TieredCompilation=0 '{Environment.ProcessPath}'";

    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "The assembly is a program.")]
    internal static void Run()
    {
        switch (Environment.GetEnvironmentVariable(Variable))
        {
            case ExitWithSharedOutput:
                Exit();
                break;
            case CountInput:
                DeviceCalls.CountInput();
                Environment.Exit(0);
                break;
            case RawTerminal:
                DeviceCalls.HoldTerminal(Environment.GetEnvironmentVariable("TERMINAL")!);
                break;
            case WithoutDescriptors:
                UseDescriptorsThatAreThere(PollerKind.Epoll);
                UseDescriptorsThatAreThere(PollerKind.Portable);
                Environment.Exit(0);
                break;
        }
    }

    private static void Exit()
    {
        using IOLoop loop = new();
        loop.RunSync(async () =>
        {
            PipeIOStream output = new(1);
            await output.WriteAsync("hello\n"u8);
            await output.FlushAsync();
            Environment.Exit(0);
        });
    }

    /// <summary>Reports what works when no descriptor is free, and what is left open after a failure.</summary>
    private static void UseDescriptorsThatAreThere(PollerKind poller)
    {
        // The first use needs descriptors, so everything is used once before.
        TextWriter output = Console.Out;
        Console.SetOut(TextWriter.Null);
        UseDescriptors(poller, isFull: false);
        Console.SetOut(output);
        UseDescriptors(poller, isFull: true);
    }

    private static void UseDescriptors(PollerKind poller, bool isFull)
    {
        // Without the watchdog: a thread that starts for its timer holds a pipe for a moment.
        IOLoopOptions options = new() { Poller = poller, StallThreshold = Timeout.InfiniteTimeSpan };
        using IOLoop loop = new(options);
        int[] ends = new int[4];
        _ = pipe(ref ends[0]) + pipe(ref ends[2]);
        Try("no descriptor", () => _ = new PipeIOStream(-1, null, loop));
        List<int> fillers = isFull ? Fill() : [-1];

        Try("a handler on another thread", () => loop.AddHandler(ends[0], IOEvents.Read, static (_, _) => { }));
        Try("a pipe on another thread", () => _ = new PipeIOStream(ends[1], null, loop));
        loop.RunSync(() =>
        {
            Try("a handler on the loop", () => loop.AddHandler(ends[2], IOEvents.Read, static (_, _) => { }));
            Try("a pipe on the loop", () => _ = new PipeIOStream(ends[3], null, loop));
            return Task.CompletedTask;
        });

        _ = close(fillers[^1]);
        Try("a loop", () => _ = new IOLoop(options));
        int left = isFull ? Fill().Count : 1;
        foreach (int filler in fillers) _ = close(filler);
        // More than one if the runtime held some for a moment when all were taken.
        Console.WriteLine(left > 0 ? "none lost" : "lost");
    }

    private static void Try(string what, Action action)
    {
        string outcome = "works";
        try
        {
            action();
        }
        catch (Exception error)
        {
            outcome = error.GetType().Name;
        }

        Console.WriteLine($"{what}: {outcome}");
    }

    /// <summary>Takes every free descriptor.</summary>
    private static List<int> Fill()
    {
        List<int> taken = [];
        for (int fd = dup(2); fd >= 0; fd = dup(2)) taken.Add(fd);
        return taken;
    }

    [LibraryImport("libc")]
    private static partial int dup(int fd);

    [LibraryImport("libc")]
    private static partial int close(int fd);

    [LibraryImport("libc")]
    private static partial int pipe(ref int ends);
}
