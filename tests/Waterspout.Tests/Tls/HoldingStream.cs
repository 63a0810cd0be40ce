namespace Waterspout.Tests.Tls;

/// <summary>Passes on what is written up to a certain write, and holds what comes then, for a test to send in its own way.</summary>
public sealed class HoldingStream(Stream inner) : DelegatingStream(inner)
{
    private readonly List<byte> _held = [];

    /// <summary>How many writes are still passed on.</summary>
    public int Passing { get; set; } = int.MaxValue;

    public int HeldCount => _held.Count;

    public byte[] TakeHeld()
    {
        byte[] held = [.. _held];
        _held.Clear();
        return held;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Passing-- > 0) return base.WriteAsync(buffer, cancellationToken);
        Passing = 0;
        _held.AddRange(buffer.Span);
        return default;
    }
}
