using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LineService;

/// <summary>
/// Logs the library's metrics now and then. A real service has them collected instead, by OpenTelemetry or <c>dotnet-counters</c>.
/// </summary>
internal sealed partial class Figures(ILogger<Figures> logger) : BackgroundService
{
    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, double> _sums = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using MeterListener listener = new() { InstrumentPublished = Enable };
        listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => Add(instrument, value));
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Add(instrument, value));
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => Add(instrument, value));
        listener.Start();
        using PeriodicTimer timer = new(s_period);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            _sums.Clear();
            listener.RecordObservableInstruments();
            (double open, double failed, double received) = (Sum("streams.open"), Sum("tls.handshakes.failed"), Sum("bytes.received"));
            LogFigures(open, failed, received);
        }
    }

    private static void Enable(Instrument instrument, MeterListener listener)
    {
        if (instrument.Meter.Name == "Waterspout") listener.EnableMeasurementEvents(instrument);
    }

    private double Sum(string name) => _sums.GetValueOrDefault($"waterspout.{name}");

    // Each loop reports for itself.
    private void Add(Instrument instrument, double value) => _sums.AddOrUpdate(instrument.Name, value, (_, sum) => sum + value);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Open} connections are open, {Failed} handshakes have failed, {Bytes} bytes were received.")]
    private partial void LogFigures(double open, double failed, double bytes);
}
