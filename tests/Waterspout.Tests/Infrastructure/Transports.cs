using System.Security.Authentication;
using Waterspout.Tests.Tls;

namespace Waterspout.Tests;

/// <summary>What contracts are about, by which a transport says which of them it runs.</summary>
[Flags]
public enum Aspects
{
    None = 0,
    Receiving = 1,
    Limits = 2,
    Sending = 4,
    Closing = 8,

    /// <summary>Both directions of one stream.</summary>
    Duplex = 16,

    /// <summary>A peer that breaks the connection off.</summary>
    Resets = 32,

    /// <summary>What a close does with data that is still to be sent.</summary>
    LastSends = 64,

    /// <summary>Callbacks, cancellation, races and threads.</summary>
    Use = 128,
    Random = 256,
    All = 511,
}

/// <summary>Every kind of stream that the contracts run over. A new one is one more entry.</summary>
public static class Transports
{
    // What differs between these and the full ones is how bytes come in, and what the handshake has left.
    private const Aspects Variant = Aspects.Receiving | Aspects.Limits | Aspects.Resets | Aspects.LastSends;

    private static readonly Entry[] s_all =
    [
        new("tcp", static () => new TcpTransport()),
        new("unix", static () => new UnixTransport()),
        new("pipe", static () => new PipeTransport(), Aspects.All & ~(Aspects.Duplex | Aspects.Resets)),

        new("memory", static () => new MemoryTransport()),

        // A subclass that replaces the system calls, and one whose calls move little.
        new("derived", static () => new FaultyTransport(), Aspects.LastSends),
        new("pieces", static () => new FaultyTransport(1000), Aspects.Resets),
        new("bytewise", static () => new FaultyTransport(1), Aspects.Receiving | Aspects.Sending | Aspects.LastSends | Aspects.Random),

        new("tls13-client", static () => new TlsPairs(SslProtocols.Tls13, isClientLeft: true)),
        new("tls12-server", static () => new TlsPairs(SslProtocols.Tls12, isClientLeft: false)),
        new("tls13-upgraded", static () => new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false)),
        new("tls13-server", static () => new TlsPairs(SslProtocols.Tls13, isClientLeft: false), Variant),
        new("tls12-client", static () => new TlsPairs(SslProtocols.Tls12, isClientLeft: true), Variant),
        new("tls12-upgraded", static () => new UpgradedPairs(SslProtocols.Tls12, isClientLeft: true), Variant),
        new("tls-bytewise", static () => new TlsPairs(SslProtocols.Tls13, isClientLeft: true, Relaying.Bytewise), Aspects.Receiving | Aspects.Limits),
        new("tls-lumps", static () => new TlsPairs(SslProtocols.Tls13, isClientLeft: false, Relaying.InLumps), Aspects.Receiving | Aspects.Limits),
    ];

    /// <summary>The settings of a contract: each transport that it is of use to, on each poller.</summary>
    public static IEnumerable<Setting> SettingsOf(Aspects aspect) =>
        On(s_all.Where(entry => entry.Aspects.HasFlag(aspect)));

    /// <summary>One transport, on each poller.</summary>
    public static IEnumerable<Setting> SettingsOf(string transport) => On(s_all.Where(entry => entry.Name == transport));

    /// <summary>Makes the transport of a setting.</summary>
    public static Transport Make(Setting setting) => s_all.Single(transport => transport.Name == setting.Transport).Make();

    private static IEnumerable<Setting> On(IEnumerable<Entry> entries) =>
        from entry in entries
        from poller in Setting.Pollers
        select new Setting(poller, entry.Name);

    private sealed record Entry(string Name, Func<Transport> Make, Aspects Aspects = Aspects.All);
}

/// <summary>Each test of the contract runs over each transport that has its aspect, or over the one that is named, on each poller.</summary>
public sealed class ContractAttribute : SettingsAttribute
{
    public ContractAttribute(Aspects aspect) => Settings = Transports.SettingsOf(aspect);

    public ContractAttribute(string transport) => Settings = Transports.SettingsOf(transport);

    public override IEnumerable<Setting> Settings { get; }
}
