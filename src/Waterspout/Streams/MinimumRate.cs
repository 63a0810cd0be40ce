namespace Waterspout;

/// <summary>How fast a peer must at least be: see <see cref="IOStreamOptions.MinimumReadRate"/> and <see cref="IOStreamOptions.MinimumWriteRate"/>.</summary>
public sealed record MinimumRate
{
    /// <summary>Creates a rate.</summary>
    /// <param name="bytesPerSecond">More than zero.</param>
    /// <param name="gracePeriod">More than zero, and not infinite.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public MinimumRate(double bytesPerSecond, TimeSpan gracePeriod)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytesPerSecond);
        if (!double.IsFinite(bytesPerSecond))
            throw new ArgumentOutOfRangeException(nameof(bytesPerSecond), bytesPerSecond, "The rate must be finite.");
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(gracePeriod, TimeSpan.Zero);
        BytesPerSecond = bytesPerSecond;
        GracePeriod = gracePeriod;
    }

    /// <summary>The rate.</summary>
    public double BytesPerSecond { get; }

    /// <summary>How far the peer may fall behind the rate: it may send, or take, nothing at all for so long.</summary>
    public TimeSpan GracePeriod { get; }
}
