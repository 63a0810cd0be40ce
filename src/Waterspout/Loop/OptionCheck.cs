using System.Numerics;
using System.Runtime.CompilerServices;

namespace Waterspout.Loop;

/// <summary>Checks of options. The error has the name of the parameter, the name of the option, its value and its range.</summary>
internal static class OptionCheck
{
    internal static void Positive<T>(T value, string parameter, [CallerArgumentExpression(nameof(value))] string option = "")
        where T : struct, INumber<T>
    {
        if (value <= T.Zero) throw new ArgumentOutOfRangeException(parameter, value, $"{option} must be positive.");
    }

    internal static void Positive(TimeSpan? value, string parameter, [CallerArgumentExpression(nameof(value))] string option = "")
    {
        if (TimeLimit.IsFinite(value) && value <= TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(parameter, value, $"{option} must be positive, or infinite.");
    }

    internal static void NotNegative(int value, string parameter, [CallerArgumentExpression(nameof(value))] string option = "")
    {
        if (value < 0) throw new ArgumentOutOfRangeException(parameter, value, $"{option} must not be negative.");
    }

    internal static void NotNegative(TimeSpan value, string parameter, [CallerArgumentExpression(nameof(value))] string option = "")
    {
        if (TimeLimit.IsFinite(value) && value < TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(parameter, value, $"{option} must not be negative.");
    }

    internal static void Defined<T>(T value, string parameter, [CallerArgumentExpression(nameof(value))] string option = "")
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value)) throw new ArgumentOutOfRangeException(parameter, value, $"{option} has no such value.");
    }

    internal static void NotNull(object? value, string parameter, [CallerArgumentExpression(nameof(value))] string option = "")
    {
        if (value is null) throw new ArgumentNullException(parameter, $"{option} must not be null.");
    }
}
