namespace Waterspout.Wrapping;

/// <summary>What is under a <see cref="WrappedIOStream"/>. At most one read and one write are under way at a time.</summary>
/// <remarks>Called on the loop. After the close it may be another thread, but never two at a time.</remarks>
internal interface IWrapped
{
    /// <summary>The type of what is wrapped, for logs.</summary>
    string Name { get; }

    /// <summary>Otherwise a read fails.</summary>
    bool CanRead { get; }

    /// <summary>Reads what there is. Does not throw: the task fails.</summary>
    /// <returns>The number of bytes read; 0 at the end of the stream.</returns>
    ValueTask<int> ReadAsync(Memory<byte> space);

    /// <summary>Completes when all of the data has been accepted. Does not throw: the task fails.</summary>
    ValueTask WriteAsync(ReadOnlyMemory<byte> data);

    /// <summary>The writing side can be ended alone.</summary>
    bool CanEndWrites { get; }

    /// <summary>Ends the writing side alone. Called once, when no write is under way. Completes when the end has been accepted.</summary>
    Task EndWritesAsync();

    /// <summary>Makes the read that is under way end soon.</summary>
    void CancelRead();

    /// <summary>Makes the write that is under way end soon.</summary>
    void CancelWrite();

    /// <summary>Closes it, whatever is under way.</summary>
    void Close();

    /// <summary>Called after the close, once no read is under way.</summary>
    void ReleaseReads(Exception? error);

    /// <summary>Called after the close, once no write is under way.</summary>
    void ReleaseWrites(Exception? error);
}
