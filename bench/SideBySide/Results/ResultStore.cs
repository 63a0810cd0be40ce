using System.Text.Json;
using System.Text.Json.Serialization;

namespace Waterspout.Bench.SideBySide;

/// <summary>The measured results, one file per workload, so that a run of some workloads leaves the others in the report.</summary>
/// <remarks>A workload is replaced as a whole: peers of different runs are not compared.</remarks>
internal sealed class ResultStore(string folder)
{
    private static readonly JsonSerializerOptions s_format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly string _raw = Path.Combine(folder, "raw");

    internal void Save(WorkloadResult result)
    {
        Directory.CreateDirectory(_raw);
        File.WriteAllText(FileOf(result.Workload), JsonSerializer.Serialize(result, s_format) + "\n");
    }

    /// <summary>Null if the workload has not been measured.</summary>
    internal WorkloadResult? Load(Workload workload) =>
        File.Exists(FileOf(workload.Name)) ? JsonSerializer.Deserialize<WorkloadResult>(File.ReadAllText(FileOf(workload.Name)), s_format) : null;

    private string FileOf(string workload) => Path.Combine(_raw, workload + ".json");
}
