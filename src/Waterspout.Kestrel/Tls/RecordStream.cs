using Waterspout.Duplex;
using Waterspout.Kestrel.Connections;
using Waterspout.Tls;
using Waterspout.Writes;

namespace Waterspout.Kestrel.Tls;

/// <summary>A connection as the <see cref="Stream"/> that SslStream sends and receives its records by.</summary>
/// <remarks>
/// <para>During the handshake its calls are those of the connection, and may wait. Then TLS becomes a layer of the connection, and the calls
/// go to the descriptor: a read that would block stays pending until <see cref="Resume"/>, and a write never waits. What the kernel does
/// not accept is kept, and is sent by <see cref="TrySendRest"/>.</para>
/// <para>Reads are made under the lock of the connection's input. Writes are made under that of its output, but TLS may have to answer
/// something within a read, so they have a lock of their own here.</para>
/// </remarks>
internal sealed class RecordStream(SocketConnection connection) : RecordStreamBase
{
    private readonly Stream _plain = new ConnectionStream(connection);
    private readonly PendingRead _pending = new();
    private readonly Lock _sending = new();
    private IConnectionDescriptor? _below; // once TLS is a layer
    private ReadOnlyMemory<byte> _received; // by the connection, before that
    private WriteBuffer? _unsent;
    private bool _isDrained;
    private bool _isLast;

    /// <summary>The error of the descriptor. SslStream reports others in its place.</summary>
    internal Exception? Error { get; private set; }

    /// <summary>From now on records go by the descriptor.</summary>
    internal void MoveTo(IConnectionDescriptor below, ReadOnlyMemory<byte> received)
    {
        _received = received;
        _below = below;
    }

    /// <inheritdoc cref="IConnectionDescriptor.OnReadable"/>
    internal void OnReadable(bool isLast)
    {
        _isDrained = false;
        _isLast = isLast;
    }

    /// <summary>Completes the pending read, if there is one and it would no longer block.</summary>
    internal void Resume()
    {
        if (!_pending.IsPending) return;
        try
        {
            if (Receive(_pending.Target) is { } count) _pending.Complete(count);
        }
        catch (Exception error)
        {
            _pending.Fail(error);
        }
    }

    /// <summary>Sends what is kept. False if it would block.</summary>
    internal bool TrySendRest()
    {
        lock (_sending)
        {
            while (_unsent is { Length: > 0 } unsent)
            {
                if (_below!.Send(unsent.First) is not { } count) return false;
                unsent.Consume(count);
            }

            _unsent?.Return();
            _unsent = null;
            return true;
        }
    }

    /// <summary>Nothing more is sent.</summary>
    internal void Drop()
    {
        lock (_sending)
        {
            _unsent?.Discard();
            _unsent = null;
        }
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_below is null) return _plain.ReadAsync(buffer, cancellationToken);
        return Receive(buffer) is { } count ? new ValueTask<int>(count) : _pending.Begin(buffer);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_below is null) return _plain.WriteAsync(buffer, cancellationToken);
        lock (_sending)
        {
            int sent = _unsent is null ? Send(buffer) : 0;
            if (sent < buffer.Length) (_unsent ??= WriteBuffer.Rent()).Append(buffer.Span[sent..]);
        }

        return default;
    }

    /// <summary>Waits until everything that was written during the handshake has been sent.</summary>
    internal Task FlushHandshakeAsync(CancellationToken cancellationToken) => _plain.FlushAsync(cancellationToken);

    /// <returns>The number of bytes; null if it would block; 0 at EOF, and for an empty buffer when there is something to receive.</returns>
    private int? Receive(Memory<byte> buffer)
    {
        if (!_received.IsEmpty)
        {
            int taken = Math.Min(_received.Length, buffer.Length);
            _received[..taken].CopyTo(buffer);
            _received = _received[taken..];
            return taken;
        }

        if (_isDrained) return null;
        // SslStream gets its buffer only after this, so that a connection that waits holds none.
        if (buffer.IsEmpty) return 0;
        int? count = Call(buffer, static (below, buffer) => below.Receive(buffer));
        // As in the half that receives: over TCP a short receive saves the one that would only return EAGAIN.
        bool isShort = count < buffer.Length && (_below!.Traits & DescriptorTraits.ShortMeansBlocked) != 0;
        _isDrained = count is null || (isShort && count > 0 && !_isLast);
        return count;
    }

    private int Send(ReadOnlyMemory<byte> data) => Call(data, static (below, data) => below.Send(data)) ?? 0;

    private int? Call<T>(T data, Func<IConnectionDescriptor, T, int?> call)
    {
        try
        {
            return call(_below!, data);
        }
        catch (Exception error)
        {
            Error ??= error;
            throw;
        }
    }
}
