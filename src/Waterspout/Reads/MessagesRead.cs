using Waterspout.Loop;

namespace Waterspout.Reads;

/// <summary>
/// Message after message, until the user has had enough (the result is true) or the stream ends between two of them (false).
/// </summary>
internal sealed class MessagesRead<T> : ReadOperation<bool>
    where T : allows ref struct
{
    private MessageParser<T> _parser = null!;
    private Func<T, bool> _handle = null!;
    private int _maxBytes;
    private int _wanted;

    internal override string Name => "ReadMessagesAsync";

    internal override int Limit => _maxBytes;

    internal override string Unit => "The message";

    internal override bool EofIsAResult => true;

    internal static MessagesRead<T> Rent(MessageParser<T> parser, Func<T, bool> handle, int? maxBytes)
    {
        MessagesRead<T> read = OperationPool<MessagesRead<T>>.Rent();
        read._parser = parser;
        read._handle = handle;
        read._maxBytes = maxBytes ?? int.MaxValue;
        read._wanted = 1;
        return read;
    }

    internal override ReadProgress TryFinish(ReadBuffer buffer)
    {
        int start = 0;
        try
        {
            ReadOnlySpan<byte> data = buffer.Data;
            while (data.Length - start >= _wanted)
            {
                bool isWhole = MessageParsing.TryParse(_parser, data[start..], out int consumed, out T message, out _wanted);
                ReadProgress progress = CheckLimits(isWhole ? consumed : _wanted);
                if (!isWhole || progress != ReadProgress.Pending) return progress;
                start += consumed; // before the call: a message counts as read also when the handler throws
                if (!_handle(message)) return Finish(true);
            }

            return ReadProgress.Pending;
        }
        finally
        {
            buffer.Consume(start);
        }
    }

    internal override ReadProgress TryFinishAtEof(ReadBuffer buffer) => buffer.Length == 0 ? Finish(false) : ReadProgress.Pending;

    internal override Exception? Truncation(ReadBuffer buffer) => MessageParsing.Truncation(buffer.Length, "a message");

    protected override void Return()
    {
        _parser = null!;
        _handle = null!;
        OperationPool<MessagesRead<T>>.Return(this);
    }
}
