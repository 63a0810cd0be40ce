namespace Waterspout.Interop.Tests;

/// <summary>Finds files that are not part of the test's own output.</summary>
internal static class Repository
{
    internal static string Root { get; } = FindRoot();

    /// <summary>The program of a sample, built together with these tests.</summary>
    internal static string Sample(string name)
    {
        // artifacts/bin/PROJECT/CONFIGURATION/
        DirectoryInfo output = new(AppContext.BaseDirectory.TrimEnd('/'));
        return Path.Combine(output.Parent!.Parent!.FullName, name, output.Name, name);
    }

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Waterspout.slnx"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("The tests are not below the repository.");
    }
}
