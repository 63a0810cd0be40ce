using Waterspout.Loop;

namespace Waterspout.Reads;

/// <summary>One message that a user's parser finds.</summary>
internal sealed class MessageRead<T> : ReadOperation<T>
{
    private MessageParser<T> _parser = null!;
    private int _maxBytes;
    private int _wanted;

    internal override string Name => "ReadMessageAsync";

    internal override int Limit => _maxBytes;

    internal override string Unit => "The message";

    internal static MessageRead<T> Rent(MessageParser<T> parser, int? maxBytes)
    {
        MessageRead<T> read = OperationPool<MessageRead<T>>.Rent();
        read._parser = parser;
        read._maxBytes = maxBytes ?? int.MaxValue;
        read._wanted = 1;
        return read;
    }

    internal override ReadProgress TryFinish(ReadBuffer buffer)
    {
        if (buffer.Length < _wanted) return ReadProgress.Pending;
        bool isWhole = MessageParsing.TryParse(_parser, buffer.Data, out int consumed, out T message, out _wanted);
        ReadProgress progress = CheckLimits(isWhole ? consumed : _wanted);
        if (!isWhole || progress != ReadProgress.Pending) return progress;
        buffer.Consume(consumed);
        return Finish(message);
    }

    internal override Exception? Truncation(ReadBuffer buffer) => MessageParsing.Truncation(buffer.Length, "a message");

    protected override void Return()
    {
        _parser = null!;
        OperationPool<MessageRead<T>>.Return(this);
    }
}
