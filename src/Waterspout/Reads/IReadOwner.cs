namespace Waterspout.Reads;

/// <summary>What a read needs of the stream that it reads from.</summary>
internal interface IReadOwner
{
    IOLoop Loop { get; }

    /// <summary>The maximum number of bytes that may be buffered.</summary>
    int BufferLimit { get; }

    /// <summary>The token of a read was cancelled. Called on any thread.</summary>
    void RequestCancelRead(ReadOperation read, short version, CancellationToken token);
}
