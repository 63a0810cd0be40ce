using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Waterspout.Bench.Micro;

// [--job dry|short|medium|long] and whatever BenchmarkDotNet takes. All benchmarks, where no --filter says which.
List<string> rest = [.. args];
Job job = Job.Default;
if (rest.IndexOf("--job") is >= 0 and var at && at + 1 < rest.Count)
{
    job = rest[at + 1] switch { "dry" => Job.Dry, "short" => Job.ShortRun, "medium" => Job.MediumRun, "long" => Job.LongRun, _ => Job.Default };
    rest.RemoveRange(at, 2);
}

if (!rest.Exists(argument => argument is "--filter" or "-f" or "--list" or "--help")) rest.AddRange(["--filter", "*"]);
Results results = new();
// In this process: the artifacts of this repository are not where BenchmarkDotNet's generated projects look for them. A job
// of its own command line would run there, hence ours.
ManualConfig config = ManualConfig.Create(DefaultConfig.Instance)
    .AddJob(job.WithToolchain(InProcessEmitToolchain.Instance))
    .AddDiagnoser(MemoryDiagnoser.Default)
    .HideColumns(Column.Job, Column.Toolchain, Column.IterationCount, Column.LaunchCount, Column.WarmupCount)
    .HideColumns(Column.Gen0, Column.Gen1, Column.Gen2, Column.AllocRatio, Column.RatioSD)
    .WithArtifactsPath(results.Artifacts);
results.Write(BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run([.. rest], config));
