using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Waterspout.Diagnostics;

/// <summary>
/// The activity source "Waterspout", for what takes long enough to be worth an activity. The names of the tags are those of
/// OpenTelemetry's conventions for .NET's own sockets, name resolution and TLS.
/// </summary>
internal static class Tracing
{
    internal static ActivitySource Source { get; } = new("Waterspout");

    /// <summary>The activity of the caller, to be passed to the loop's thread. Null without a listener.</summary>
    internal static Activity? Ambient => Source.HasListeners() ? Activity.Current : null;

    /// <summary>What is called next on the loop belongs to an activity. The loop forgets it after the callback.</summary>
    internal static void Continue(Activity? activity)
    {
        if (activity is not null) Activity.Current = activity;
    }

    /// <summary>Connecting to one address; or to a name, with its resolution and its addresses as children.</summary>
    internal static Activity? Connect(EndPoint address)
    {
        Activity? activity = Source.StartActivity("connect");
        if (activity is null) return null;
        switch (address)
        {
            case DnsEndPoint name:
                activity.SetServer(name.Host).SetTag("server.port", name.Port);
                break;
            case IPEndPoint ip:
                activity.SetTag("network.peer.address", ip.Address.ToString()).SetTag("network.peer.port", ip.Port);
                activity.SetTag("network.transport", "tcp").SetTag("network.type", IsIPv6(ip) ? "ipv6" : "ipv4");
                break;
            default:
                activity.SetTag("network.peer.address", address.ToString()).SetTag("network.transport", "unix");
                break;
        }

        activity.DisplayName = address is DnsEndPoint { Host: var host, Port: var port } ? $"connect {host}:{port}" : $"connect {address}";
        return activity;
    }

    /// <summary>The resolution of a name.</summary>
    internal static Activity? Resolve(string host)
    {
        Activity? activity = Source.StartActivity("resolve");
        if (activity is null) return null;
        activity.DisplayName = $"resolve {host}";
        return activity.SetTag("dns.question.name", host);
    }

    /// <summary>The resolution has succeeded.</summary>
    internal static void Answer(this Activity? activity, IPAddress[] found)
    {
        if (activity is { IsAllDataRequested: true }) activity.SetTag("dns.answers", Array.ConvertAll(found, static each => each.ToString()));
    }

    /// <summary>A TLS handshake.</summary>
    internal static Activity? Handshake(bool isServer, EndPoint? peer)
    {
        Activity? activity = Source.StartActivity("handshake");
        if (activity is null) return null;
        activity.DisplayName = isServer ? "TLS server handshake" : "TLS client handshake";
        if (peer is IPEndPoint ip) activity.SetTag("network.peer.address", ip.Address.ToString()).SetTag("network.peer.port", ip.Port);
        return activity;
    }

    /// <summary>What the handshake has negotiated.</summary>
    internal static void SetTls(this Activity activity, SslProtocols protocol, TlsCipherSuite cipherSuite, SslApplicationProtocol application)
    {
        activity.SetTag("tls.protocol.name", "tls").SetTag("tls.protocol.version", protocol switch
        {
            SslProtocols.Tls12 => "1.2",
            SslProtocols.Tls13 => "1.3",
            _ => protocol.ToString(),
        });
        activity.SetTag("tls.cipher", cipherSuite.ToString());
        if (!application.Protocol.IsEmpty) activity.SetTag("tls.next_protocol", application.ToString());
    }

    internal static void Fail(this Activity activity, Exception error) => activity.Fail(ErrorTypes.Of(error), error.Message);

    internal static void Fail(this Activity activity, string errorType, string message) =>
        activity.SetTag(ErrorTypes.Attribute, errorType).SetStatus(ActivityStatusCode.Error, message);

    internal static Activity SetServer(this Activity activity, string host) => activity.SetTag("server.address", host);

    private static bool IsIPv6(IPEndPoint address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 && !address.Address.IsIPv4MappedToIPv6;
}
