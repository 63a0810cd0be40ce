using System.Diagnostics.Metrics;
using Waterspout.Loop;

namespace Waterspout.Diagnostics;

/// <summary>The meter "Waterspout".</summary>
/// <remarks>
/// Nearly all instruments are observable, so that counting costs the loop one addition and nothing elsewhere. The lag is a distribution,
/// which has to be recorded; a loop measures it only while there is a listener.
/// </remarks>
internal static class Metrics
{
    private static readonly Meter s_meter = new("Waterspout");
    private static readonly Lock s_lock = new();
    private static readonly List<IOLoop> s_loops = [];

    /// <summary>See its description. In seconds.</summary>
    internal static Histogram<double> Lag { get; } = s_meter.CreateHistogram(
        "waterspout.loop.lag", "s", "Time between two checks for events, for which an event may have to wait.", tags: null,
        new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5] });

    static Metrics()
    {
        Observe("waterspout.streams.open", "{stream}", "Streams that are open.", static loop => loop.Counters.StreamsOpen);
        Observe("waterspout.callbacks.waiting", "{callback}", "Callbacks that wait for the loop.", static loop => loop.WaitingCallbacks);
        Count("waterspout.connections.accepted", "{connection}", "Connections that servers have accepted.",
            static loop => loop.Counters.Accepted);
        Count("waterspout.connections.refused", "{connection}", "Connections that a server's own check has refused.",
            static loop => loop.Counters.Refused);
        Count("waterspout.bytes.received", "By", "Bytes that streams have received; over TLS, after decryption.", static loop => loop.Counters.SumBytes(isReceived: true));
        Count("waterspout.bytes.sent", "By", "Bytes that streams have handed to the operating system; over TLS, before encryption.",
            static loop => loop.Counters.SumBytes(isReceived: false));
        s_meter.CreateObservableCounter(
            "waterspout.streams.closed",
            () => MeasureEach(static loop => loop.Counters.Closes, "reason", static (CloseReason reason) => reason.ToString()),
            "{stream}", "Streams that have closed, by reason.");
        s_meter.CreateObservableCounter(
            "waterspout.timeouts",
            () => MeasureEach(static loop => loop.Counters.Timeouts, "operation", static (TimedOperation operation) => ToLower(operation)),
            "{timeout}", "Time limits that have expired, by operation.");
        Count("waterspout.reads.timed_out", "{read}", "Reads that did not complete within the read timeout.",
            static loop => loop.Counters.Timeouts[(int)TimedOperation.Read]);
        Count("waterspout.tls.handshakes.begun", "{handshake}", "TLS handshakes that have begun, of clients and of servers.",
            static loop => loop.Counters.HandshakesBegun);
        Count("waterspout.tls.handshakes.done", "{handshake}", "TLS handshakes that have succeeded.",
            static loop => loop.Counters.HandshakesDone);
        s_meter.CreateObservableCounter(
            "waterspout.tls.handshakes.failed",
            () => MeasureEach(static loop => loop.Counters.HandshakeFailures, ErrorTypes.Attribute, static (CloseReason reason) => ErrorTypes.Of(reason)),
            "{handshake}", "TLS handshakes that have failed, timed out or been cancelled.");
        Observe("waterspout.tls.handshakes.active", "{handshake}", "TLS handshakes that are under way.",
            static loop => loop.Counters.HandshakesUnderWay);
        Observe("waterspout.tls.handshakes.waiting", "{handshake}", "Those of them that wait until fewer are under way.",
            static loop => loop.Counters.HandshakesWaiting);
        Count("waterspout.loop.turns", "{turn}", "Turns of the loop.", static loop => loop.Counters.Turns);
        Count("waterspout.loop.stalls", "{stall}", "Callbacks that blocked the loop beyond the threshold.",
            static loop => loop.Counters.Stalls);
        s_meter.CreateObservableCounter("waterspout.loop.busy_time", () => Measure(static loop => Clock.ToSeconds(loop.Counters.BusyTicks)),
            "s", "Time that the loop has spent in callbacks and handlers.");
    }

    internal static void Add(IOLoop loop)
    {
        lock (s_lock) s_loops.Add(loop);
    }

    internal static void Remove(IOLoop loop)
    {
        lock (s_lock) s_loops.Remove(loop);
    }

    /// <summary>The counters of an array that is indexed by an enumeration, each with the tag of its value.</summary>
    private static List<Measurement<long>> MeasureEach<T>(Func<IOLoop, long[]> counters, string tag, Func<T, string> name)
        where T : struct, Enum
    {
        lock (s_lock)
        {
            // Several values may have the same name, and a collector may keep only the last measurement of one.
            return [.. from loop in s_loops
                       from value in Enum.GetValues<T>()
                       where value is not CloseReason.None
                       group counters(loop)[Convert.ToInt32(value, null)] by (loop, name: name(value)) into same
                       select new Measurement<long>(same.Sum(), LoopTag(same.Key.loop), Tag(tag, same.Key.name))];
        }
    }

    /// <summary>The tag that each measurement of a loop has.</summary>
    internal static KeyValuePair<string, object?> LoopTag(IOLoop loop) => Tag("loop", loop.Name);

    private static string ToLower(TimedOperation operation) => operation.ToString().ToLowerInvariant();

    private static KeyValuePair<string, object?> Tag(string key, string value) => new(key, value);

    private static void Count(string name, string unit, string description, Func<IOLoop, long> value) =>
        s_meter.CreateObservableCounter(name, () => Measure(value), unit, description);

    private static void Observe(string name, string unit, string description, Func<IOLoop, long> value) =>
        s_meter.CreateObservableUpDownCounter(name, () => Measure(value), unit, description);

    private static List<Measurement<T>> Measure<T>(Func<IOLoop, T> value)
        where T : struct
    {
        lock (s_lock)
            return s_loops.ConvertAll(loop => new Measurement<T>(value(loop), LoopTag(loop)));
    }
}
