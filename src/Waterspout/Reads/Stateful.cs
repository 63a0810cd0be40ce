using Waterspout.Loop;

namespace Waterspout.Reads;

// A user's delegate together with the state that it was given, behind one delegate that is made once and used again: what a closure does,
// without its allocation. So every read has one form, without a state. Each is used up by the call that ends its read; one whose read ends
// otherwise, cancelled or at the end of the stream, is left to the garbage collector.

/// <summary>A parser of bytes that are framed already. It is called once.</summary>
internal sealed class StatefulParser<TState, T>
{
    private readonly Func<ReadOnlySpan<byte>, T> _bound;
    private Func<ReadOnlySpan<byte>, TState, T> _parse = null!;
    private TState _state = default!;

    public StatefulParser() => _bound = Parse;

    internal static Func<ReadOnlySpan<byte>, T> Bind(TState state, Func<ReadOnlySpan<byte>, TState, T> parse)
    {
        StatefulParser<TState, T> parser = OperationPool<StatefulParser<TState, T>>.Rent();
        parser._parse = parse;
        parser._state = state;
        return parser._bound;
    }

    private T Parse(ReadOnlySpan<byte> data)
    {
        T result = _parse(data, _state);
        _parse = null!;
        _state = default!;
        OperationPool<StatefulParser<TState, T>>.Return(this);
        return result;
    }
}

/// <summary>A parser of bytes that one of several delimiters ends. It is called once.</summary>
internal sealed class StatefulAnyParser<TState, T>
{
    private readonly Func<ReadOnlySpan<byte>, int, T> _bound;
    private Func<ReadOnlySpan<byte>, int, TState, T> _parse = null!;
    private TState _state = default!;

    public StatefulAnyParser() => _bound = Parse;

    internal static Func<ReadOnlySpan<byte>, int, T> Bind(TState state, Func<ReadOnlySpan<byte>, int, TState, T> parse)
    {
        StatefulAnyParser<TState, T> parser = OperationPool<StatefulAnyParser<TState, T>>.Rent();
        parser._parse = parse;
        parser._state = state;
        return parser._bound;
    }

    private T Parse(ReadOnlySpan<byte> data, int delimiter)
    {
        T result = _parse(data, delimiter, _state);
        _parse = null!;
        _state = default!;
        OperationPool<StatefulAnyParser<TState, T>>.Return(this);
        return result;
    }
}

/// <summary>A parser of messages. It is called until it has found one.</summary>
internal sealed class StatefulMessageParser<TState, T>
{
    private readonly MessageParser<T> _bound;
    private MessageParser<TState, T> _parse = null!;
    private TState _state = default!;

    public StatefulMessageParser() => _bound = Parse;

    internal static MessageParser<T> Bind(TState state, MessageParser<TState, T> parse)
    {
        StatefulMessageParser<TState, T> parser = OperationPool<StatefulMessageParser<TState, T>>.Rent();
        parser._parse = parse;
        parser._state = state;
        return parser._bound;
    }

    private bool Parse(ReadOnlySpan<byte> data, out int consumed, out T message, out int needed)
    {
        if (!_parse(data, _state, out consumed, out message, out needed)) return false;
        _parse = null!;
        _state = default!;
        OperationPool<StatefulMessageParser<TState, T>>.Return(this);
        return true;
    }
}

/// <summary>A handler of pieces or messages. It is called until it has had enough.</summary>
internal sealed class StatefulHandler<TState, T>
    where T : allows ref struct
{
    private readonly Func<T, bool> _bound;
    private Func<T, TState, bool> _handle = null!;
    private TState _state = default!;

    public StatefulHandler() => _bound = Handle;

    internal static Func<T, bool> Bind(TState state, Func<T, TState, bool> handle)
    {
        StatefulHandler<TState, T> handler = OperationPool<StatefulHandler<TState, T>>.Rent();
        handler._handle = handle;
        handler._state = state;
        return handler._bound;
    }

    private bool Handle(T item)
    {
        if (_handle(item, _state)) return true;
        _handle = null!;
        _state = default!;
        OperationPool<StatefulHandler<TState, T>>.Return(this);
        return false;
    }
}
