namespace Waterspout.Interop.Tests;

/// <summary>Installed programs that tests run.</summary>
internal static class Tool
{
    /// <summary>The path of a program. Without it the test is skipped.</summary>
    internal static string Require(string name)
    {
        string path = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin";
        string? found = path.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        if (found is null) Assert.Skip($"{name} is not installed.");
        return found;
    }
}
