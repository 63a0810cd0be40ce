using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Waterspout.Interop.Tests;

/// <summary>Programs that this assembly is when it is started with their name: what ends or limits a whole process needs one of its own.</summary>
internal static class ChildPrograms
{
    private const string Variable = "WATERSPOUT_CHILD_PROGRAM";

    internal const string ExitWithSharedOutput = "exit-with-shared-output";

    /// <summary>A shell command that runs the program.</summary>
    internal static string Command(string program) => $"{Variable}={program} '{Environment.ProcessPath}'";

    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "The assembly is a program.")]
    internal static void Run()
    {
        if (Environment.GetEnvironmentVariable(Variable) == ExitWithSharedOutput) Exit();
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
}
