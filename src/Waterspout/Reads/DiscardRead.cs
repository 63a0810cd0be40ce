using System.Buffers;
using Waterspout.Loop;

namespace Waterspout.Reads;

/// <summary>Receives and discards data until EOF: the last part of an orderly close.</summary>
/// <remarks>Data that was buffered before stays, since what had arrived can be read after the close.</remarks>
internal sealed class DiscardRead : ReadOperation<bool>
{
    private byte[] _sink = [];
    private bool _hasReceived; // since the last query

    internal static DiscardRead Rent()
    {
        DiscardRead read = OperationPool<DiscardRead>.Rent();
        read._sink = ArrayPool<byte>.Shared.Rent(16 * 1024);
        return read;
    }

    internal override string Name => "CloseAsync";

    internal override ReadProgress TryFinish(ReadBuffer buffer) => ReadProgress.Pending;

    internal override ReadProgress TryFinishAtEof(ReadBuffer buffer) => Finish(true);

    internal override bool IsDrain => true;

    internal override bool BypassesBuffer => true;

    internal override Memory<byte> GetDirectSpace() => _sink;

    internal override void ReceivedDirectly(int count) => _hasReceived = true;

    /// <summary>Nothing has arrived since the last query, or the beginning.</summary>
    internal bool IsQuiet()
    {
        bool isQuiet = !_hasReceived;
        _hasReceived = false;
        return isQuiet;
    }

    protected override void Return()
    {
        ArrayPool<byte>.Shared.Return(_sink);
        (_sink, _hasReceived) = ([], false);
        OperationPool<DiscardRead>.Return(this);
    }
}
