using System.Text.Json;
using Orleans.Storage;

namespace OrleansCluster;

/// <summary>The state of each grain in a file, in a folder that all silos have.</summary>
/// <remarks>
/// A file is replaced as a whole, so a silo that is killed leaves the state before or after. It is not flushed to the disk: what is stored
/// survives the end of a process, not that of the machine. The version in it (ETag) refuses a second activation that knows an older state.
/// </remarks>
public sealed class FileStorage(string folder) : IGrainStorage
{
    public const string Name = "files";

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        (long version, T? state) = await ReadAsync<T>(PathOf(stateName, grainId));
        grainState.RecordExists = version > 0;
        grainState.ETag = $"{version}";
        grainState.State = state ?? Activator.CreateInstance<T>();
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        string path = PathOf(stateName, grainId);
        (long version, _) = await ReadAsync<T>(path);
        if ((grainState.ETag ?? "0") != $"{version}") throw new InconsistentStateException("The state has been changed elsewhere.", $"{version}", grainState.ETag);
        string complete = $"{path}.{Environment.ProcessId}";
        await File.WriteAllTextAsync(complete, JsonSerializer.Serialize(new Stored<T>(version + 1, grainState.State!)));
        File.Move(complete, path, overwrite: true);
        grainState.ETag = $"{version + 1}";
        grainState.RecordExists = true;
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        File.Delete(PathOf(stateName, grainId));
        grainState.ETag = "0";
        grainState.RecordExists = false;
        return Task.CompletedTask;
    }

    private static async Task<(long Version, T? State)> ReadAsync<T>(string path)
    {
        if (!File.Exists(path)) return (0, default);
        Stored<T> stored = JsonSerializer.Deserialize<Stored<T>>(await File.ReadAllTextAsync(path))!;
        return (stored.Version, stored.State);
    }

    private string PathOf(string stateName, GrainId grainId) => Path.Combine(folder, $"{stateName}-{grainId.Key}.json");

    private sealed record Stored<T>(long Version, T State);
}
