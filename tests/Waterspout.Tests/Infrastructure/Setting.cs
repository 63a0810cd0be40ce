namespace Waterspout.Tests;

/// <summary>What one run of a test uses: a poller, and for a contract a transport.</summary>
/// <remarks>Both are traits of the test case, so that <c>--filter-trait poller=epoll</c> works, and its name ends in them.</remarks>
public sealed record Setting(PollerKind Poller, string? Transport = null)
{
    private const string PollerTrait = "poller";
    private const string TransportTrait = "transport";

    public static IEnumerable<PollerKind> Pollers => [PollerKind.Epoll, PollerKind.Portable];

    /// <summary>The setting of the test that runs. The default poller where its class asks for none.</summary>
    public static Setting Current
    {
        get
        {
            IReadOnlyDictionary<string, IReadOnlyCollection<string>> traits = TestContext.Current.TestCase!.Traits;
            string? transport = traits.TryGetValue(TransportTrait, out IReadOnlyCollection<string>? transports) ? transports.Single() : null;
            string poller = traits.TryGetValue(PollerTrait, out IReadOnlyCollection<string>? pollers) ? pollers.Single() : nameof(PollerKind.Default);
            return new Setting(Enum.Parse<PollerKind>(poller, ignoreCase: true), transport);
        }
    }

    /// <summary>
    /// This program runs the setting. There is one program for each poller, and one more for its contracts, which take the longest. All are
    /// made of the same files.
    /// </summary>
    public bool IsOfThisProgram => IsContract == (Transport is not null) && IsPortable == (Poller == PollerKind.Portable);

    private static bool IsContract =>
#if CONTRACTS
        true;
#else
        false;
#endif

    private static bool IsPortable =>
#if PORTABLE
        true;
#else
        false;
#endif

    private string PollerName => Poller.ToString().ToLowerInvariant();

    /// <summary>Adds to the traits that a test case has already.</summary>
    public Dictionary<string, HashSet<string>> AddTo(IReadOnlyDictionary<string, HashSet<string>> traits)
    {
        Dictionary<string, HashSet<string>> all = new(traits, StringComparer.OrdinalIgnoreCase) { [PollerTrait] = [PollerName] };
        if (Transport is not null) all[TransportTrait] = [Transport];
        return all;
    }

    public override string ToString() => Transport is null ? PollerName : $"{Transport}, {PollerName}";
}

/// <summary>Determines in which settings each test of a class runs.</summary>
[AttributeUsage(AttributeTargets.Class)]
public abstract class SettingsAttribute : Attribute
{
    public abstract IEnumerable<Setting> Settings { get; }
}

/// <summary>Each test of the class runs once on each poller.</summary>
public sealed class OnEachPollerAttribute : SettingsAttribute
{
    public override IEnumerable<Setting> Settings => Setting.Pollers.Select(static poller => new Setting(poller));
}
