using System.Collections.Concurrent;

namespace OrleansCluster;

/// <summary>Callers that add entries to ledgers, each to its own, and repeat what was not acknowledged.</summary>
internal sealed class Load(IGrainFactory grains)
{
    private const int Callers = 48;

    private readonly long[] _acknowledged = new long[Callers];
    private readonly ConcurrentDictionary<string, int> _answers = new();
    private int _failures;

    internal long Acknowledged => _acknowledged.Sum();

    /// <summary>Calls that got no answer, or an error, and were repeated.</summary>
    internal int Failures => _failures;

    /// <summary>Each caller adds so many entries. Throws <see cref="MissingEntryException"/> if an earlier one is lost.</summary>
    /// <param name="count">The number of entries.</param>
    /// <param name="progress">Called with the number of all acknowledged entries.</param>
    /// <returns>The silos that have answered.</returns>
    internal async Task<string> RunAsync(int count, Action<long>? progress = null)
    {
        _answers.Clear();
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            for (int i = 0; i < count; i++)
            {
                long number = _acknowledged[caller] + 1;
                string silo = await RepeatAsync(() => grains.GetGrain<ILedgerGrain>(caller).AppendAsync(number));
                _acknowledged[caller] = number;
                _answers.AddOrUpdate(silo, 1, static (_, answers) => answers + 1);
                progress?.Invoke(Acknowledged);
            }
        })));
        return string.Join(", ", _answers.OrderBy(static answer => answer.Key).Select(static answer => $"{answer.Key}: {answer.Value}"));
    }

    /// <summary>Compares each ledger with what was acknowledged. Returns the number of ledgers that differ.</summary>
    internal async Task<int> CheckAsync()
    {
        int wrong = 0;
        for (int caller = 0; caller < Callers; caller++)
        {
            long last = await RepeatAsync(() => grains.GetGrain<ILedgerGrain>(caller).GetLastAsync());
            if (last == _acknowledged[caller]) continue;
            Console.WriteLine($"Ledger {caller} ends with {last}, and {_acknowledged[caller]} was acknowledged.");
            wrong++;
        }

        return wrong;
    }

    private async Task<T> RepeatAsync<T>(Func<Task<T>> call)
    {
        while (true)
        {
            try
            {
                return await call();
            }
            catch (Exception error) when (error is not MissingEntryException)
            {
                // Until the other silos have agreed that one is lost, calls to its grains fail.
                Interlocked.Increment(ref _failures);
                await Task.Delay(100);
            }
        }
    }
}
