using Waterspout.Loop;

namespace Waterspout.Reads;

/// <summary>Everything until EOF.</summary>
internal sealed class UntilCloseRead : ReadOperation<byte[]>
{
    internal static UntilCloseRead Rent() => OperationPool<UntilCloseRead>.Rent();

    internal override string Name => "ReadUntilCloseAsync";

    internal override ReadProgress TryFinish(ReadBuffer buffer) => ReadProgress.Pending;

    internal override ReadProgress TryFinishAtEof(ReadBuffer buffer) => Finish(buffer.TakeArray(buffer.Length));

    protected override void Return() => OperationPool<UntilCloseRead>.Return(this);
}
