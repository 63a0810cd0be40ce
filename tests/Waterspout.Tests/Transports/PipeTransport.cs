namespace Waterspout.Tests;

/// <summary>A pipe, in its one direction.</summary>
public sealed class PipeTransport : Transport
{
    public override bool IsDuplex => false;

    public override Task<(BaseIOStream Left, BaseIOStream Right)> ConnectAsync(IOStreamOptions? options)
    {
        (PipeIOStream reader, PipeIOStream writer) = PipeIOStream.CreatePair(options);
        return Task.FromResult<(BaseIOStream, BaseIOStream)>((writer, reader));
    }
}
