namespace OrleansCluster;

/// <summary>A list of entries, of which only the number of the last one is kept.</summary>
public interface ILedgerGrain : IGrainWithIntegerKey
{
    /// <summary>
    /// Adds the entry with the number that comes next, and returns the name of the silo when that is stored. The last entry may be added
    /// again, by a caller who has got no answer. Any other number means that an entry is missing.
    /// </summary>
    Task<string> AppendAsync(long number);

    /// <summary>The number of the last entry.</summary>
    Task<long> GetLastAsync();
}

/// <summary>What is stored of a ledger.</summary>
[GenerateSerializer]
public sealed class Ledger
{
    [Id(0)]
    public long Last { get; set; }
}

public sealed class LedgerGrain([PersistentState("ledger", FileStorage.Name)] IPersistentState<Ledger> ledger, ILocalSiloDetails silo) : Grain, ILedgerGrain
{
    public async Task<string> AppendAsync(long number)
    {
        long last = ledger.State.Last;
        if (number == last) return silo.Name;
        if (number != last + 1) throw new MissingEntryException($"Entry {number} of ledger {this.GetPrimaryKeyLong()} comes after entry {last}.");
        try
        {
            ledger.State.Last = number;
            await ledger.WriteStateAsync();
            return silo.Name;
        }
        catch
        {
            ledger.State.Last = last;
            throw;
        }
    }

    public Task<long> GetLastAsync() => Task.FromResult(ledger.State.Last);
}

/// <summary>What was acknowledged before is not there.</summary>
[GenerateSerializer]
public sealed class MissingEntryException(string message) : Exception(message);
