using System.Diagnostics.Metrics;

namespace Waterspout.Tests;

/// <summary>What the meter reports of one loop.</summary>
public static class Measurements
{
    /// <summary>The values of all observable instruments, by the instrument's name and what the tags besides the loop say.</summary>
    public static Dictionary<string, double> Of(string loop)
    {
        Dictionary<string, double> values = [];
        using MeterListener listener = Listen(loop, (key, value) => values[key] = value);
        listener.RecordObservableInstruments();
        return values;
    }

    /// <summary>Calls back with each measurement of the loop, until the listener is disposed.</summary>
    public static MeterListener Listen(string loop, Action<string, double> measured)
    {
        void Record<T>(Instrument instrument, T value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
        {
            Dictionary<string, object?> named = new(tags.ToArray());
            if (!named.Remove("loop", out object? name) || !loop.Equals(name)) return;
            measured(string.Join(' ', named.Values.Prepend(instrument.Name)), Convert.ToDouble(value));
        }

        MeterListener listener = new()
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == "Waterspout") self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>(Record);
        listener.SetMeasurementEventCallback<double>(Record);
        listener.Start();
        return listener;
    }
}
