using Waterspout.Interop;

namespace Waterspout.Duplex;

/// <summary>The descriptor of a stream that a connection has taken over. The stream's own hooks make the calls.</summary>
internal sealed class StreamDescriptor(BaseIOStream stream) : IConnectionDescriptor
{
    private readonly IHalfOwner _hooks = stream;
    private bool _isTaken;
    private bool _hasUrgentData;

    public IOStreamOptions Options => stream.Options;

    public BaseIOStream? Stream => stream;

    public DescriptorTraits Traits => _hasUrgentData ? DescriptorTraits.Exact : _hooks.Traits;

    public Descriptor Descriptor => stream.Descriptor;

    public int LargestMessage => _hooks.LargestMessage;

    public bool IsShortOfMemory => stream.IsShortOfMemory;

    /// <summary>
    /// Takes the descriptor over, on the loop. If the stream refuses, the connection has failed, and the stream keeps it.
    /// </summary>
    internal void Take(PipeConnection connection)
    {
        try
        {
            (Writes.WriteBuffer? unsent, bool mayBeReadable) = stream.Leave();
            _isTaken = true;
            if (stream is IOStream socket) socket.SetTaker(connection);
            connection.Start(stream.ReceivedData, unsent, mayBeReadable);
            stream.ForgetReceived();
        }
        catch (StreamClosedException closed)
        {
            connection.Abort(closed.Reason, closed.InnerException);
        }
        catch (Exception error)
        {
            connection.Abort(error);
        }
    }

    public int? Receive(Memory<byte> space) => _hooks.Receive(space);

    public int? Send(ReadOnlySpan<byte> data) => _hooks.Send(data);

    public int? Send(ReadOnlySpan<ReadOnlyMemory<byte>> pieces) => _hooks.Send(pieces);

    public void OnPriority() => _hasUrgentData = true;

    // A query would consume a socket's error, which a receive reports after the data that arrived before it.
    public Exception? TakeError() => stream is IOStream ? null : stream.TakeDescriptorError();

    public bool IsWriteOnly => stream is PipeIOStream { IsWriteOnly: true };

    public bool ShutdownWrites() => stream.EndWrites();

    public void ResetOnClose()
    {
        if (_isTaken && stream is IOStream) Sockets.ResetOnClose(Descriptor);
    }

    public void Close(CloseOutcome outcome, long unsent)
    {
        if (_isTaken) stream.FinishMoved(outcome, unsent);
    }
}
