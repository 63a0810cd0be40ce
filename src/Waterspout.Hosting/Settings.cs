using Microsoft.Extensions.Configuration;

namespace Waterspout.Hosting;

/// <summary>
/// What the configuration may override. Each value is read by itself: most options are functions and certificates, which no configuration
/// can contain.
/// </summary>
internal static class Settings
{
    internal const string Section = "Waterspout";

    internal static string SectionOf(string server) => $"{Section}:Servers:{server}";

    internal static void Apply(IConfiguration section, WaterspoutOptions options)
    {
        options.LoopCount = section.GetValue(nameof(options.LoopCount), options.LoopCount);
        Apply(section.GetSection(nameof(options.Loop)), options.Loop);
    }

    internal static void Apply(IConfiguration section, TcpServiceOptions options)
    {
        if (section.GetSection(nameof(options.Listen)).Get<string[]>() is { } listen) options.Listen = listen;
        options.Drain = section.GetValue(nameof(options.Drain), options.Drain);
        Apply(section.GetSection(nameof(options.Server)), options.Server);
    }

    private static void Apply(IConfiguration section, IOLoopOptions options)
    {
        options.Name = section.GetValue(nameof(options.Name), options.Name)!;
        options.BusyPoll = section.GetValue(nameof(options.BusyPoll), options.BusyPoll);
        options.StallThreshold = section.GetValue(nameof(options.StallThreshold), options.StallThreshold);
        options.Poller = section.GetValue(nameof(options.Poller), options.Poller);
    }

    private static void Apply(IConfiguration section, TcpServerOptions options)
    {
        options.MaxConnections = section.GetValue(nameof(options.MaxConnections), options.MaxConnections);
        options.Backlog = section.GetValue(nameof(options.Backlog), options.Backlog);
        options.ReusePort = section.GetValue(nameof(options.ReusePort), options.ReusePort);
        options.HandshakeTimeout = section.GetValue(nameof(options.HandshakeTimeout), options.HandshakeTimeout);
        options.MaxHandshakes = section.GetValue(nameof(options.MaxHandshakes), options.MaxHandshakes);
        IConfigurationSection stream = section.GetSection(nameof(options.Stream));
        if (stream.Exists()) options.Stream = Override(stream, options.Stream ?? new IOStreamOptions());
    }

    private static IOStreamOptions Override(IConfiguration section, IOStreamOptions options) => options with
    {
        MaxBufferSize = section.GetValue(nameof(options.MaxBufferSize), options.MaxBufferSize),
        MaxWriteBufferSize = section.GetValue(nameof(options.MaxWriteBufferSize), options.MaxWriteBufferSize),
        ReadTimeout = section.GetValue(nameof(options.ReadTimeout), options.ReadTimeout),
        WriteTimeout = section.GetValue(nameof(options.WriteTimeout), options.WriteTimeout),
    };
}
