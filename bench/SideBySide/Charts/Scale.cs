namespace Waterspout.Bench.SideBySide;

/// <summary>The position of a value on an axis.</summary>
internal sealed class Scale
{
    private readonly double _min, _max, _from, _to;

    private Scale(double min, double max, double from, double to, bool isLogarithmic) =>
        (_min, _max, _from, _to, IsLogarithmic) = (min, max, from, to, isLogarithmic);

    internal bool IsLogarithmic { get; }

    /// <summary>From zero to a round number.</summary>
    internal static Scale Linear(double max, double from, double to) => new(0, Math.Ceiling(max / Step(max)) * Step(max), from, to, false);

    internal static Scale Logarithmic(double min, double max, double from, double to, bool toDecades = false)
    {
        if (toDecades) (min, max) = (Math.Pow(10, Math.Floor(Math.Log10(min))), Math.Pow(10, Math.Ceiling(Math.Log10(max))));
        return new Scale(min, max, from, to, true);
    }

    internal double At(double value)
    {
        double part = IsLogarithmic ? Math.Log(Math.Max(value, _min) / _min) / Math.Log(_max / _min) : (value - _min) / (_max - _min);
        return _from + (Math.Clamp(part, 0, 1.1) * (_to - _from));
    }

    internal IEnumerable<double> Ticks()
    {
        double step = IsLogarithmic ? 0 : Step(_max);
        for (double tick = _min; tick <= _max * 1.001; tick = IsLogarithmic ? tick * 10 : tick + step) yield return tick;
    }

    // 1, 2 or 5 times a power of ten, so that there are four to ten.
    private static double Step(double max)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(max)));
        return (max / power) switch { < 2 => power / 5, < 5 => power / 2, _ => power };
    }
}
