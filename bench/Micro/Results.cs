using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;

namespace Waterspout.Bench.Micro;

/// <summary>Writes the page of all benchmarks. Benchmarks that were not run keep their numbers.</summary>
internal sealed class Results
{
    private readonly string _folder;
    private readonly string _raw;

    internal Results()
    {
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Waterspout.slnx"))) root = root.Parent;
        string path = root?.FullName ?? ".";
        Artifacts = Path.Combine(path, "artifacts", "bench", "micro");
        _folder = Path.Combine(path, "bench", "results");
        _raw = Path.Combine(_folder, "raw");
    }

    /// <summary>Where BenchmarkDotNet keeps its logs.</summary>
    internal string Artifacts { get; }

    internal void Write(IEnumerable<Summary> summaries)
    {
        Directory.CreateDirectory(_raw);
        foreach (Summary summary in summaries.Where(summary => summary.Reports.Any(report => report.Success)))
        {
            AccumulationLogger table = new();
            MarkdownExporter.GitHub.ExportToLog(summary, table);
            string name = summary.BenchmarksCases[0].Descriptor.Type.Name;
            File.WriteAllText(Path.Combine(_raw, $"micro-{name}.md"), $"## {name}\n{table.GetLog().TrimEnd()}\n");
        }

        List<string> parts = [.. Directory.GetFiles(_raw, "micro-*.md").Order(StringComparer.Ordinal).Select(File.ReadAllText)];
        if (parts.Count == 0) return;
        // The machine and the kind of run, if they differ from those of the previous part.
        for (int i = parts.Count - 1; i > 0; i--)
            if (Environment(parts[i]) is { Length: > 0 } environment && environment == Environment(parts[i - 1])) parts[i] = parts[i].Replace(environment, "");
        string head = "# Micro-benchmarks\n\nWritten by `bench/Micro` ([how to run it](../README.md)). What is not within a turn of a loop runs on one thread; what is, runs both ends on one loop.\n";
        File.WriteAllText(Path.Combine(_folder, "micro.md"), string.Join('\n', [head, .. parts]));
    }
    private static string Environment(string part) => part.IndexOf("```", StringComparison.Ordinal) is >= 0 and var begin
        ? part[begin..(part.LastIndexOf("```", StringComparison.Ordinal) + 4)]
        : "";
}
