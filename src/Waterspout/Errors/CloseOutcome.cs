namespace Waterspout;

/// <summary>Why a stream closes: one object, so that no thread sees the reason of one close with the error of another.</summary>
/// <param name="Reason">The kind of close.</param>
/// <param name="Error">Null after a close without an error.</param>
/// <param name="IsKnown">The error came from the user's code, or is already in the log: it needs no line above Debug.</param>
/// <param name="IsAwaitingData">The stream is failing, not closed: what arrived before the error is still being received.</param>
internal sealed record CloseOutcome(CloseReason Reason, Exception? Error, bool IsKnown, bool IsAwaitingData);
