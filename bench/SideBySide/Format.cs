using System.Globalization;

namespace Waterspout.Bench.SideBySide;

/// <summary>Readable numbers.</summary>
internal static class Format
{
    /// <summary>A value of a measure, with its unit.</summary>
    internal static string Value(Measure measure, double value) => measure switch
    {
        Measure.Memory => $"{Number(value / 1024)} KiB",
        Measure.IdleCpu or Measure.LostWork => $"{Number(value * 100)} %",
        _ => Time(value),
    };

    internal static string Time(double seconds) => Math.Abs(seconds) switch
    {
        double.NaN => "",
        < 1e-6 => $"{Number(seconds * 1e9)} ns",
        < 1e-3 => $"{Number(seconds * 1e6)} us",
        < 1 => $"{Number(seconds * 1e3)} ms",
        _ => $"{Number(seconds)} s",
    };

    /// <summary>A value on an axis, which is a round number.</summary>
    internal static string Tick(Measure measure, double value)
    {
        string[] parts = Value(measure, value).Split(' ');
        string number = parts[0].Contains('.') ? parts[0].TrimEnd('0').TrimEnd('.') : parts[0];
        return number == "0" ? number : $"{number} {parts[1]}";
    }

    internal static string Rate(double perSecond) => perSecond switch
    {
        double.NaN => "",
        >= 1e6 => $"{Number(perSecond / 1e6)} M/s",
        >= 1e3 => $"{Number(perSecond / 1e3)} k/s",
        _ => $"{Number(perSecond)} /s",
    };

    internal static string Bytes(double bytes) => bytes switch
    {
        < 1024 => Invariant($"{bytes:0} B"),
        < 1024 * 1024 => Invariant($"{bytes / 1024:0.#} KiB"),
        _ => Invariant($"{bytes / (1024 * 1024):0.#} MiB"),
    };

    internal static string Count(double count) => Invariant($"{count:#,0}");

    internal static string Percent(double part) => Invariant($"{part * 100:0} %");

    /// <summary>Three significant digits.</summary>
    internal static string Number(double value)
    {
        string format = Math.Abs(value) switch { >= 100 => "0", >= 10 => "0.0", >= 0.1 or 0 => "0.00", _ => "0.0000" };
        return value.ToString(format, CultureInfo.InvariantCulture);
    }

    internal static string Title(Measure measure) => measure switch
    {
        Measure.CpuPerMessage => "server CPU per message",
        Measure.Latency => "median latency",
        Measure.CpuPerMebibyte => "server CPU per MiB",
        Measure.CpuPerByte => "server CPU per byte",
        Measure.IdleCpu => "part of a core",
        Measure.LostWork => "work lost",
        _ => "resident memory per connection",
    };

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
