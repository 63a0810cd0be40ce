using System.Runtime.InteropServices;

namespace Waterspout.Bench.SideBySide;

/// <summary>What the numbers were measured on.</summary>
internal static class Machine
{
    internal const int LoadCore = 0;
    internal const int ServerCore = 1;

    /// <summary>How many descriptors a process may open.</summary>
    internal static string MaxFiles { get; } = File.ReadLines("/proc/self/limits").First(line => line.StartsWith("Max open files", StringComparison.Ordinal))
        .Split(' ', StringSplitOptions.RemoveEmptyEntries)[4];

    internal static string[] Describe() =>
    [
        $"{CpuName()}, {Environment.ProcessorCount} cores",
        $"Linux {Toolchain.TryRun("uname", "-r")?.Trim()}, {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSArchitecture}",
        $"Go {Version("go", "version")}; Python {Version("/usr/bin/python3", "--version")}; gcc {Version("gcc", "-dumpfullversion")}",
    ];

    internal static string Commit()
    {
        string hash = Toolchain.TryRun("git", "rev-parse", "--short", "HEAD")?.Trim() ?? "unknown";
        bool isClean = string.IsNullOrWhiteSpace(Toolchain.TryRun("git", "status", "--porcelain", "--", "src"));
        return isClean ? hash : hash + " with local changes to src";
    }

    private static string CpuName() => File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
        ?.Split(':')[1].Trim() ?? "unknown";

    private static string Version(string program, string argument) =>
        Toolchain.TryRun(program, argument)?.Trim().Split(' ').FirstOrDefault(word => word.Any(char.IsDigit)) ?? "none";
}
