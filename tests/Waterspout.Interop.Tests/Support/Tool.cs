namespace Waterspout.Interop.Tests;

/// <summary>Programs of the machine that tests talk to.</summary>
internal static class Tool
{
    /// <summary>Where a program is. Without it the test is skipped.</summary>
    internal static string Require(string name)
    {
        string path = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin";
        string? found = path.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        if (found is null) Assert.Skip($"{name} is not installed.");
        return found;
    }
}
