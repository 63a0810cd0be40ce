using System.Buffers;
using System.Net.Security;
using System.Runtime.CompilerServices;
using Waterspout.Duplex;
using Waterspout.Interop;

namespace Waterspout.Kestrel.Tls;

/// <summary>TLS between the pipes of a connection and its descriptor.</summary>
/// <remarks>
/// <para>Theory of operation, as in the library's own TLS streams. SslStream's reads are awaited, and a descriptor's calls are not. A read of
/// no bytes connects the two: it completes when there is plaintext, or EOF, and SslStream holds no buffer while it waits. Reads with a
/// buffer then complete at once.</para>
/// <para>A send encrypts, and reports its bytes only when all of their ciphertext has been handed to the system. Until then it reports that
/// it would block, and is called with the same bytes again.</para>
/// <para>Nothing of this is asynchronous: the descriptor's calls complete or stay pending, and the renegotiation of TLS 1.2, which may run
/// a callback of the application, is refused.</para>
/// </remarks>
internal sealed class TlsDescriptor(IConnectionDescriptor below, SslStream ssl, RecordStream records) : IConnectionDescriptor
{
    // The most plaintext in one record (RFC 8446, 5.1).
    private const int RecordSize = 16 * 1024;

    // What the kernel does not accept is copied, so more than this is not encrypted ahead.
    private const int BatchSize = 4 * RecordSize;

    private ConfiguredValueTaskAwaitable<int>.ConfiguredValueTaskAwaiter _waiting; // for the read of no bytes
    private bool _isWaiting;
    private int _unreported;
    private bool _isEnded;

    public IOStreamOptions Options => below.Options;

    public DescriptorTraits Traits => DescriptorTraits.Exact;

    public Descriptor Descriptor => below.Descriptor;

    public int LargestMessage => 0;

    public bool IsShortOfMemory => below.IsShortOfMemory;

    public bool IsWriteOnly => false;

    public void OnReadable(bool isLast) => records.OnReadable(isLast);

    public void OnPriority() => below.OnPriority();

    public Exception? TakeError() => below.TakeError();

    public bool ShutdownWrites() => below.ShutdownWrites();

    public void ResetOnClose() => below.ResetOnClose();

    public int? Receive(Memory<byte> space)
    {
        try
        {
            if (!IsReady()) return null;
            ValueTask<int> read = ssl.ReadAsync(space);
            // With plaintext, or at EOF, SslStream does not wait. If it did, it would keep memory that is not its own.
            if (!read.IsCompleted) throw new InvalidOperationException("A decryption did not complete.");
            return read.GetAwaiter().GetResult();
        }
        catch (Exception) when (records.Error is { } cause)
        {
            throw cause;
        }
    }

    public int? Send(ReadOnlySpan<byte> data)
    {
        if (_unreported > 0) return Send();
        byte[] copy = ArrayPool<byte>.Shared.Rent(Math.Min(data.Length, BatchSize));
        int length = Math.Min(data.Length, BatchSize);
        data[..length].CopyTo(copy);
        try
        {
            return Send(copy.AsMemory(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(copy);
        }
    }

    public int? Send(ReadOnlyMemory<byte> data)
    {
        if (_unreported == 0) Encrypt(data[..Math.Min(data.Length, BatchSize)]);
        return Send();
    }

    public int? Send(ReadOnlySpan<ReadOnlyMemory<byte>> pieces)
    {
        if (_unreported > 0) return Send();
        // Whole records if more follows, so that the rest does not become a record of its own.
        if (pieces[0].Length >= RecordSize) return Send(pieces[0][..(pieces[0].Length / RecordSize * RecordSize)]);
        byte[] record = ArrayPool<byte>.Shared.Rent(RecordSize);
        int length = 0;
        foreach (ReadOnlyMemory<byte> piece in pieces)
        {
            ReadOnlyMemory<byte> part = piece[..Math.Min(piece.Length, RecordSize - length)];
            part.CopyTo(record.AsMemory(length));
            length += part.Length;
        }

        try
        {
            return Send(record.AsMemory(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(record);
        }
    }

    public bool TryEndWrites()
    {
        if (!_isEnded)
        {
            _isEnded = true;
            Run(0, static (ssl, _) => new ValueTask(ssl.ShutdownAsync()));
        }

        return records.TrySendRest();
    }

    public void Close(CloseOutcome outcome, long unsent)
    {
        ssl.Dispose();
        records.Drop();
        below.Close(outcome, unsent);
    }

    /// <summary>Whether there is plaintext, or EOF.</summary>
    private bool IsReady()
    {
        if (_isWaiting) records.Resume();
        else Wait();
        _isWaiting = !_waiting.IsCompleted;
        if (!_isWaiting) _waiting.GetResult();
        return !_isWaiting;
    }

    private void Wait()
    {
        ValueTask<int> waiting = ssl.ReadAsync(Memory<byte>.Empty);
        _waiting = waiting.ConfigureAwait(false).GetAwaiter();
    }

    private void Encrypt(ReadOnlyMemory<byte> data)
    {
        _unreported = data.Length;
        Run(data, static (ssl, data) => ssl.WriteAsync(data));
    }

    private int? Send()
    {
        if (!records.TrySendRest()) return null;
        int sent = _unreported;
        _unreported = 0;
        return sent;
    }

    private void Run<T>(T state, Func<SslStream, T, ValueTask> write)
    {
        try
        {
            ValueTask written = write(ssl, state);
            if (!written.IsCompleted) throw new InvalidOperationException("An encryption did not complete.");
            written.GetAwaiter().GetResult();
        }
        catch (Exception) when (records.Error is { } cause)
        {
            throw cause;
        }
    }
}
