using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Waterspout.Bench.Micro;

// [--job dry|short|medium|long] and whatever BenchmarkDotNet accepts. Without --filter, all benchmarks.
List<string> rest = [.. args];
Job job = Job.Default;
if (rest.IndexOf("--job") is >= 0 and var at && at + 1 < rest.Count)
{
    job = rest[at + 1] switch { "dry" => Job.Dry, "short" => Job.ShortRun, "medium" => Job.MediumRun, "long" => Job.LongRun, _ => Job.Default };
    rest.RemoveRange(at, 2);
}

if (!rest.Exists(argument => argument is "--filter" or "-f" or "--list" or "--help")) rest.AddRange(["--filter", "*"]);
Results results = new();
// In this process: BenchmarkDotNet's generated projects do not find this repository's artifacts. A job given on BenchmarkDotNet's own
// command line would run there, so we parse our own.
ManualConfig config = ManualConfig.Create(DefaultConfig.Instance)
    .AddJob(job.WithToolchain(InProcessEmitToolchain.Instance))
    .AddDiagnoser(MemoryDiagnoser.Default)
    .HideColumns(Column.Job, Column.Toolchain, Column.IterationCount, Column.LaunchCount, Column.WarmupCount)
    .HideColumns(Column.Gen0, Column.Gen1, Column.Gen2, Column.AllocRatio, Column.RatioSD)
    .WithArtifactsPath(results.Artifacts);
results.Write(BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run([.. rest], config));
