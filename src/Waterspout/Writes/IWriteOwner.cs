namespace Waterspout.Writes;

/// <summary>What a waiting write or flush needs of the stream that it writes to.</summary>
internal interface IWriteOwner
{
    IOLoop Loop { get; }

    /// <summary>The token of a write or flush was cancelled. Called on any thread.</summary>
    void RequestCancelWrite(WriteOperation operation, short version, CancellationToken token);
}
