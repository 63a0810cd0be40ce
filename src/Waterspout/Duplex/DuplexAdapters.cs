using System.IO.Pipelines;

namespace Waterspout.Duplex;

/// <summary>A stream as what .NET calls by the same name, or as pipes.</summary>
internal static class DuplexAdapters
{
    internal static IDuplexPipe ToPipe(BaseIOStream stream)
    {
        stream.CheckCanMove();
        return stream.HasDescriptor ? TakeOver(stream) : new LoopPipe(stream);
    }

    internal static Stream ToStream(BaseIOStream stream)
    {
        stream.CheckCanMove();
        return stream.HasDescriptor ? ConnectionStream.Over(TakeOver(stream)) : new LoopStream(stream);
    }

    /// <summary>A connection that any thread may use, over the descriptor of a stream.</summary>
    internal static PipeConnection TakeOver(BaseIOStream stream)
    {
        StreamDescriptor descriptor = new(stream);
        PipeConnection connection = new(stream.Loop, descriptor);
        bool isQueued = stream.Loop.TryInvoke((descriptor, connection), static call => call.descriptor.Take(call.connection));
        return isQueued ? connection : throw new ObjectDisposedException(nameof(IOLoop), "The loop has been disposed.");
    }
}
