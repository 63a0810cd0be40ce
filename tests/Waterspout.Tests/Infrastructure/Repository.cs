namespace Waterspout.Tests;

/// <summary>The files of the repository, above the folder that the tests run in.</summary>
internal static class Repository
{
    internal static string PathOf(string path)
    {
        string? root = AppContext.BaseDirectory;
        while (root is not null && !File.Exists(Path.Combine(root, path))) root = Path.GetDirectoryName(root);
        return Path.Combine(root ?? throw new FileNotFoundException("It is in no folder above.", path), path);
    }
}
