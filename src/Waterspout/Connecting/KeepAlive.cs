namespace Waterspout;

/// <summary>
/// When the system probes an idle TCP connection, and after how many probes without an answer it ends it. The stream then closes with
/// <see cref="CloseReason.Reset"/>. By default an idle peer that has vanished is noticed after 110 seconds.
/// </summary>
/// <remarks>Unanswered data is retransmitted instead, and not limited by this: see <see cref="IOStreamOptions.UserTimeout"/>.</remarks>
public sealed record KeepAlive
{
    // What the kernel accepts.
    private const int MaxSeconds = 32767;
    private const int MaxRetries = 127;

    /// <summary>With the defaults.</summary>
    public KeepAlive()
    {
    }

    /// <summary>With these settings.</summary>
    /// <param name="time">See <see cref="Time"/>.</param>
    /// <param name="interval">See <see cref="Interval"/>.</param>
    /// <param name="retries">See <see cref="Retries"/>.</param>
    public KeepAlive(TimeSpan time, TimeSpan interval, int retries)
    {
        Time = time;
        Interval = interval;
        Retries = retries;
    }

    /// <summary>
    /// How long nothing has arrived before the first probe. One minute by default; up to 32,767 seconds, rounded up to whole ones.
    /// </summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The time between probes. 10 seconds by default; up to 32,767 seconds, rounded up to whole ones.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How many probes stay unanswered before the connection ends. 5 by default; from 1 to 127.</summary>
    public int Retries { get; init; } = 5;

    internal void Validate(string parameter)
    {
        Check(Time, nameof(Time));
        Check(Interval, nameof(Interval));
        if (Retries is < 1 or > MaxRetries)
            throw new ArgumentOutOfRangeException(
                parameter, Retries, $"{nameof(KeepAlive)}.{nameof(Retries)} must be from 1 to {MaxRetries}.");

        void Check(TimeSpan time, string name)
        {
            if (time <= TimeSpan.Zero || time > TimeSpan.FromSeconds(MaxSeconds))
                throw new ArgumentOutOfRangeException(
                    parameter, time, $"{nameof(KeepAlive)}.{name} must be positive, and at most {MaxSeconds} seconds.");
        }
    }
}
