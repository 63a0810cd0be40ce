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
    private const Aspects Incoming = Aspects.Receiving | Aspects.Limits;

    // What differs between these and the full ones is how bytes come in, and what the handshake has left. The poller is below all that.
    private const Aspects Variant = Incoming | Aspects.Resets | Aspects.LastSends;

    private static readonly Entry[] s_all =
    [
        new("tcp", static () => new TcpTransport()),
        new("unix", static () => new UnixTransport()),
        new("pipe", static () => new PipeTransport(), Aspects.All & ~(Aspects.Duplex | Aspects.Resets)),

        new("memory", static () => new MemoryTransport()),

        // Their peers see the end of the stream where others see a reset. No poller is below them.
        new("wrapped-socket", static () => new WrappedTransport(Wrapped.Socket), Aspects.All & ~Aspects.Resets, Aspects.None),
        new("wrapped-tls", static () => new WrappedTransport(Wrapped.Tls), Aspects.All & ~Aspects.Resets, Aspects.None),
        new("wrapped-pipe", static () => new WrappedTransport(Wrapped.Pipe), Aspects.All & ~Aspects.Resets, Aspects.None),

        // A subclass that replaces the system calls, and one whose calls move little.
        new("derived", static () => new FaultyTransport(), Aspects.LastSends),
        new("pieces", static () => new FaultyTransport(1000), Aspects.Resets),
        new("bytewise", static () => new FaultyTransport(1), Aspects.Receiving | Aspects.Sending | Aspects.LastSends | Aspects.Random),

        new("tls13-client", static () => new TlsPairs(SslProtocols.Tls13, isClientLeft: true)),
        new("tls12-server", static () => new TlsPairs(SslProtocols.Tls12, isClientLeft: false), OnPortable: Variant & ~Aspects.Resets),
        new("tls13-upgraded", static () => new UpgradedPairs(SslProtocols.Tls13, isClientLeft: false), OnPortable: Variant & ~Aspects.Resets),
        new("tls13-server", static () => new TlsPairs(SslProtocols.Tls13, isClientLeft: false), Variant, Aspects.LastSends),
        new("tls12-client", static () => new TlsPairs(SslProtocols.Tls12, isClientLeft: true), Variant, Aspects.LastSends),
        new("tls12-upgraded", static () => new UpgradedPairs(SslProtocols.Tls12, isClientLeft: true), Variant, Aspects.LastSends),
        new("tls-bytewise", static () => new TlsPairs(SslProtocols.Tls13, isClientLeft: true, Relaying.Bytewise), Incoming),
        new("tls-lumps", static () => new TlsPairs(SslProtocols.Tls13, isClientLeft: false, Relaying.InLumps), Incoming, Aspects.None),
    ];

    /// <summary>The settings of a contract: each transport that has its aspect, on each poller or on epoll alone.</summary>
    public static IEnumerable<Setting> SettingsOf(Aspects aspect) =>
        from entry in s_all
        from poller in Setting.Pollers
        where entry.On(poller).HasFlag(aspect)
        select new Setting(poller, entry.Name);

    /// <summary>One transport, on each poller.</summary>
    public static IEnumerable<Setting> SettingsOf(string transport) => Setting.Pollers.Select(poller => new Setting(poller, transport));

    /// <summary>Makes the transport of a setting.</summary>
    public static Transport Make(Setting setting) => s_all.Single(transport => transport.Name == setting.Transport).Make();

    private sealed record Entry(string Name, Func<Transport> Make, Aspects Aspects = Aspects.All, Aspects? OnPortable = null)
    {
        internal Aspects On(PollerKind poller) => poller == PollerKind.Portable ? OnPortable ?? Aspects : Aspects;
    }
}

/// <summary>Each test of the contract runs over each transport that has its aspect, or over the one that is named.</summary>
public sealed class ContractAttribute : SettingsAttribute
{
    public ContractAttribute(Aspects aspect) => Settings = Transports.SettingsOf(aspect);

    public ContractAttribute(string transport) => Settings = Transports.SettingsOf(transport);

    public override IEnumerable<Setting> Settings { get; }
}
