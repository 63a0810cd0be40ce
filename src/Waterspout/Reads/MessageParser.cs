namespace Waterspout;

/// <summary>Looks for one message at the front of what is buffered.</summary>
/// <typeparam name="T">What the message becomes; may be a span of <paramref name="data"/> where messages are handed over.</typeparam>
/// <param name="data">All that is buffered, at least one byte. Valid during the call only.</param>
/// <param name="consumed">
/// How many bytes the message takes: from 1 to the length of <paramref name="data"/>. 0 where it is not complete.
/// </param>
/// <param name="message">The message; ignored where it is not complete.</param>
/// <param name="needed">
/// Where the message is not complete: how many bytes are missing at least, or 0 if that is unknown. The parser is not called again before
/// they have arrived, and a message that would pass the limit fails at once. Ignored where the message is complete.
/// </param>
/// <returns>True when the message is complete; false when more bytes are needed.</returns>
public delegate bool MessageParser<T>(ReadOnlySpan<byte> data, out int consumed, out T message, out int needed)
    where T : allows ref struct;

/// <summary>Looks for one message at the front of what is buffered, with a state that the caller of the read has given.</summary>
/// <typeparam name="TState">The type of the state.</typeparam>
/// <typeparam name="T">What the message becomes.</typeparam>
/// <param name="data">All that is buffered, at least one byte. Valid during the call only.</param>
/// <param name="state">What the caller has given.</param>
/// <param name="consumed">
/// How many bytes the message takes: from 1 to the length of <paramref name="data"/>. 0 where it is not complete.
/// </param>
/// <param name="message">The message; ignored where it is not complete.</param>
/// <param name="needed">Where the message is not complete: how many bytes are missing at least, or 0 if that is unknown.</param>
/// <returns>True when the message is complete; false when more bytes are needed.</returns>
public delegate bool MessageParser<TState, T>(ReadOnlySpan<byte> data, TState state, out int consumed, out T message, out int needed)
    where T : allows ref struct;
