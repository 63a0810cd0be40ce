using System.Diagnostics.Metrics;
using Waterspout.Loop;

namespace Waterspout.Diagnostics;

/// <summary>The meter "Waterspout".</summary>
/// <remarks>
/// Nearly all instruments are observable, so that counting costs the loop one addition and nothing elsewhere. The lag is a distribution,
/// which has to be recorded; a loop measures it only while there is a listener. Loops of the same name are one to a collector, which
/// would keep the last of their measurements; so they are added up, and what one of them has counted stays in the sum when it ends.
/// </remarks>
internal static class Metrics
{
    private static readonly Meter s_meter = new("Waterspout");
    private static readonly Lock s_lock = new();
    private static readonly Dictionary<string, SameName> s_names = [];

    /// <summary>See its description. In seconds.</summary>
    internal static Histogram<double> Lag { get; } = s_meter.CreateHistogram(
        "waterspout.loop.lag", "s", "Time between two checks for events, for which an event may have to wait.", tags: null,
        new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5] });

    static Metrics()
    {
        Observe("waterspout.streams.open", "{stream}", "Streams that are open.", static loop => loop.Counters.StreamsOpen);
        Observe("waterspout.callbacks.waiting", "{callback}", "Callbacks that wait for the loop.", static loop => loop.WaitingCallbacks);
        Count("waterspout.connections.accepted", "{connection}", "Connections that servers have accepted.",
            static counters => counters.Accepted);
        Count("waterspout.connections.refused", "{connection}", "Connections that a server's own check has refused.",
            static counters => counters.Refused);
        Count("waterspout.bytes.received", "By", "Bytes that streams have received; over TLS, after decryption.", static counters => counters.SumBytes(isReceived: true));
        Count("waterspout.bytes.sent", "By", "Bytes that streams have handed to the operating system; over TLS, before encryption.",
            static counters => counters.SumBytes(isReceived: false));
        s_meter.CreateObservableCounter(
            "waterspout.streams.closed",
            () => MeasureEach(static counters => counters.Closes, "reason", static (CloseReason reason) => reason.ToString()),
            "{stream}", "Streams that have closed, by reason.");
        s_meter.CreateObservableCounter(
            "waterspout.timeouts",
            () => MeasureEach(static counters => counters.Timeouts, "operation", static (TimedOperation operation) => ToLower(operation)),
            "{timeout}", "Time limits that have expired, by operation.");
        Count("waterspout.reads.timed_out", "{read}", "Reads that did not complete within the read timeout.",
            static counters => counters.Timeouts[(int)TimedOperation.Read]);
        Count("waterspout.tls.handshakes.begun", "{handshake}", "TLS handshakes that have begun, of clients and of servers.",
            static counters => counters.HandshakesBegun);
        Count("waterspout.tls.handshakes.done", "{handshake}", "TLS handshakes that have succeeded.",
            static counters => counters.HandshakesDone);
        s_meter.CreateObservableCounter(
            "waterspout.tls.handshakes.failed",
            () => MeasureEach(static counters => counters.HandshakeFailures, ErrorTypes.Attribute, static (CloseReason reason) => ErrorTypes.Of(reason)),
            "{handshake}", "TLS handshakes that have failed, timed out or been cancelled.");
        Observe("waterspout.tls.handshakes.active", "{handshake}", "TLS handshakes that are under way.",
            static loop => loop.Counters.HandshakesUnderWay);
        Observe("waterspout.tls.handshakes.waiting", "{handshake}", "Those of them that wait until fewer are under way.",
            static loop => loop.Counters.HandshakesWaiting);
        Count("waterspout.loop.turns", "{turn}", "Turns of the loop.", static counters => counters.Turns);
        Count("waterspout.loop.stalls", "{stall}", "Callbacks that blocked the loop beyond the threshold.",
            static counters => counters.Stalls);
        s_meter.CreateObservableCounter("waterspout.loop.busy_time", () => Measure(static (_, counters) => Clock.ToSeconds(counters.Sum(static each => each.BusyTicks))),
            "s", "Time that the loop has spent in callbacks and handlers.");
    }

    internal static void Add(IOLoop loop)
    {
        lock (s_lock)
        {
            if (!s_names.TryGetValue(loop.Name, out SameName? loops)) s_names.Add(loop.Name, loops = new SameName());
            loops.Loops.Add(loop);
        }
    }

    internal static void Remove(IOLoop loop)
    {
        lock (s_lock)
        {
            if (!s_names.TryGetValue(loop.Name, out SameName? loops) || !loops.Loops.Remove(loop)) return;
            loops.Ended.Add(loop.Counters);
            if (loops.Loops.Count == 0) s_names.Remove(loop.Name);
        }
    }

    /// <summary>The counters of an array that is indexed by an enumeration, each with the tag of its value.</summary>
    private static List<Measurement<long>> MeasureEach<T>(Func<LoopCounters, long[]> array, string tag, Func<T, string> name)
        where T : struct, Enum
    {
        lock (s_lock)
        {
            // Several values may have the same name, too.
            return [.. from loops in s_names
                       from value in Enum.GetValues<T>()
                       where value is not CloseReason.None
                       group loops.Value.Counters.Sum(counters => array(counters)[Convert.ToInt32(value, null)])
                           by (loop: loops.Key, name: name(value)) into same
                       select new Measurement<long>(same.Sum(), LoopTag(same.Key.loop), Tag(tag, same.Key.name))];
        }
    }

    /// <summary>The tag that each measurement of a loop has.</summary>
    internal static KeyValuePair<string, object?> LoopTag(string name) => Tag("loop", name);

    private static string ToLower(TimedOperation operation) => operation.ToString().ToLowerInvariant();

    private static KeyValuePair<string, object?> Tag(string key, string value) => new(key, value);

    private static void Count(string name, string unit, string description, Func<LoopCounters, long> value) =>
        s_meter.CreateObservableCounter(name, () => Measure((_, counters) => counters.Sum(value)), unit, description);

    private static void Observe(string name, string unit, string description, Func<IOLoop, long> value) =>
        s_meter.CreateObservableUpDownCounter(name, () => Measure((loops, _) => loops.Sum(value)), unit, description);

    private static List<Measurement<T>> Measure<T>(Func<IEnumerable<IOLoop>, IEnumerable<LoopCounters>, T> value)
        where T : struct
    {
        lock (s_lock)
            return [.. s_names.Select(loops => new Measurement<T>(value(loops.Value.Loops, loops.Value.Counters), LoopTag(loops.Key)))];
    }

    private sealed class SameName
    {
        internal List<IOLoop> Loops { get; } = [];

        internal LoopCounters Ended { get; } = new();

        internal IEnumerable<LoopCounters> Counters => Loops.Select(static loop => loop.Counters).Append(Ended);
    }
}
