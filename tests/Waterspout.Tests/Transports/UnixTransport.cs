namespace Waterspout.Tests;

/// <summary>A pair of Unix sockets.</summary>
public sealed class UnixTransport : Transport
{
    public override Task<(BaseIOStream Left, BaseIOStream Right)> ConnectAsync(IOStreamOptions? options)
    {
        (IOStream left, IOStream right) = IOStream.CreatePair(options);
        return Task.FromResult<(BaseIOStream, BaseIOStream)>((left, right));
    }
}
