using System.Diagnostics.Metrics;
using Waterspout.Loop;

namespace Waterspout.Diagnostics;

/// <summary>
/// The meter "Waterspout". All instruments are observable, so that counting costs the loop one addition and nothing elsewhere.
/// </summary>
internal static class Metrics
{
    private static readonly Meter s_meter = new("Waterspout");
    private static readonly Lock s_lock = new();
    private static readonly List<IOLoop> s_loops = [];

    static Metrics()
    {
        Observe("waterspout.streams.open", "{stream}", "Streams that are open.", static loop => loop.Counters.StreamsOpen);
        Observe("waterspout.callbacks.waiting", "{callback}", "Callbacks that wait for the loop.", static loop => loop.WaitingCallbacks);
        Count("waterspout.connections.accepted", "{connection}", "Connections that servers have accepted.",
            static loop => loop.Counters.Accepted);
        Count("waterspout.connections.refused", "{connection}", "Connections that a server's own check has refused.",
            static loop => loop.Counters.Refused);
        Count("waterspout.bytes.received", "By", "Bytes that streams have received; over TLS, after decryption.", static loop => loop.Counters.BytesIn);
        Count("waterspout.bytes.sent", "By", "Bytes that streams have handed to the operating system; over TLS, before encryption.",
            static loop => loop.Counters.BytesOut);
        s_meter.CreateObservableCounter("waterspout.streams.closed", MeasureCloses, "{stream}", "Streams that have closed, by reason.");
        Count("waterspout.reads.timed_out", "{read}", "Reads that did not complete within the read timeout.",
            static loop => loop.Counters.ReadTimeouts);
        Count("waterspout.tls.handshakes.done", "{handshake}", "TLS handshakes that have succeeded.",
            static loop => loop.Counters.HandshakesDone);
        Count("waterspout.tls.handshakes.failed", "{handshake}", "TLS handshakes that have failed, timed out or been cancelled.",
            static loop => loop.Counters.HandshakesFailed);
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

    private static List<Measurement<long>> MeasureCloses()
    {
        lock (s_lock)
        {
            return [.. from loop in s_loops
                       from reason in Enum.GetValues<CloseReason>()
                       where reason != CloseReason.None
                       select new Measurement<long>(
                           loop.Counters.Closes[(int)reason], Tag("loop", loop.Name), Tag("reason", reason.ToString()))];
        }
    }

    private static KeyValuePair<string, object?> Tag(string key, string value) => new(key, value);

    private static void Count(string name, string unit, string description, Func<IOLoop, long> value) =>
        s_meter.CreateObservableCounter(name, () => Measure(value), unit, description);

    private static void Observe(string name, string unit, string description, Func<IOLoop, long> value) =>
        s_meter.CreateObservableUpDownCounter(name, () => Measure(value), unit, description);

    private static List<Measurement<T>> Measure<T>(Func<IOLoop, T> value)
        where T : struct
    {
        lock (s_lock)
            return s_loops.ConvertAll(loop => new Measurement<T>(value(loop), Tag("loop", loop.Name)));
    }
}
