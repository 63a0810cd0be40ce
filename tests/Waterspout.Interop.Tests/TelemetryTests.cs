using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Waterspout.Interop.Tests;

/// <summary>Metrics and traces as the collectors of others see them.</summary>
public sealed class TelemetryTests
{
    [Fact]
    public void An_exporter_of_OpenTelemetry_gets_the_metrics_with_their_tags()
    {
        List<Metric> exported = [];
        using MeterProvider provider = Sdk.CreateMeterProviderBuilder().AddMeter("Waterspout").AddInMemoryExporter(exported).Build();
        TestLoop.Run(async () =>
        {
            (IOStream left, IOStream right) = IOStream.CreatePair();
            await left.WriteAsync("line\n"u8);
            await right.ReadUntilAsync("\n"u8);
            left.Close();
            right.Close();
            await FailHandshakeAsync();
            Assert.True(provider.ForceFlush());
        });
        Assert.Equal("By", Find("waterspout.bytes.received").Unit);
        Assert.True(SumOf("waterspout.bytes.received") >= 5);
        Assert.True(SumOf("waterspout.streams.closed", ("reason", "Local")) >= 2);
        Assert.True(SumOf("waterspout.tls.handshakes.failed", ("error.type", "end_of_stream")) >= 1);
        Assert.Equal((MetricType.Histogram, "s"), (Find("waterspout.loop.lag").MetricType, Find("waterspout.loop.lag").Unit));

        Metric Find(string name) => exported.First(metric => metric.Name == name);

        long SumOf(string name, params (string Key, string Value)[] tags)
        {
            long sum = 0;
            foreach (ref readonly MetricPoint point in Find(name).GetMetricPoints())
            {
                Dictionary<string, object?> found = [];
                foreach (KeyValuePair<string, object?> tag in point.Tags) found[tag.Key] = tag.Value;
                if (Array.TrueForAll(tags, tag => tag.Value.Equals(found.GetValueOrDefault(tag.Key)))) sum += point.GetSumLong();
            }

            return sum;
        }
    }

    [Fact]
    public void An_exporter_of_OpenTelemetry_gets_the_traces_as_one()
    {
        List<Activity> exported = [];
        using TracerProvider provider = Sdk.CreateTracerProviderBuilder().AddSource("Waterspout").AddInMemoryExporter(exported).Build();
        TestLoop.Run(async () =>
        {
            using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen();
            using IOStream stream = await IOStream.ConnectAsync("127.0.0.1", ((IPEndPoint)listener.LocalEndPoint!).Port);
            await FailHandshakeAsync();
        });
        provider.ForceFlush();
        Activity whole = exported.First(activity => activity.GetTagItem("server.address") is "127.0.0.1");
        Assert.Contains(exported, activity => activity.ParentSpanId == whole.SpanId && activity.GetTagItem("network.peer.address") is "127.0.0.1");
        Activity handshake = Assert.Single(exported, activity => activity.OperationName == "handshake");
        Assert.Equal(ActivityStatusCode.Error, handshake.Status);
        Assert.Equal(typeof(AuthenticationException).FullName, handshake.GetTagItem("error.type"));
    }

    [Fact]
    public async Task The_counters_of_another_process_are_shown_by_dotnet_counters()
    {
        string tool = Tool.Require("dotnet-counters");
        using Child sample = Child.Start(Repository.Sample("StreamTable"), "--seconds", "60");
        await sample.ReadLineAsync(); // it runs
        string file = Path.Combine(Path.GetTempPath(), $"waterspout-{Guid.NewGuid()}.json");
        try
        {
            string[] arguments = ["collect", "--process-id", sample.Id.ToString(CultureInfo.InvariantCulture), "--counters", "Waterspout",
                "--format", "json", "--output", file, "--duration", "00:00:00:03"];
            using Child counters = Child.Start(tool, arguments);
            string output = Encoding.UTF8.GetString((await counters.FinishAsync([])).Output);
            Assert.True(File.Exists(file), output);
            using JsonDocument collected = JsonDocument.Parse(await File.ReadAllTextAsync(file));
            string[] names = [.. collected.RootElement.GetProperty("Events").EnumerateArray().Select(each => each.GetProperty("name").GetString()!)];
            Assert.Contains(names, name => name.StartsWith("waterspout.streams.open", StringComparison.Ordinal));
            Assert.Contains(names, name => name.StartsWith("waterspout.tls.handshakes.active", StringComparison.Ordinal));
            Assert.Contains(names, name => name.StartsWith("waterspout.loop.lag", StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>A client that connects to a TLS server, and leaves.</summary>
    private static async Task FailHandshakeAsync()
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndPoint!);
        SslIOStream server = new(await listener.AcceptAsync(), new SslServerAuthenticationOptions());
        client.Dispose();
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(async () => await server.WaitForHandshakeAsync());
        Assert.IsType<AuthenticationException>(error.InnerException);
    }
}
