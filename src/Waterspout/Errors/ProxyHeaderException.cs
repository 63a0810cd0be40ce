namespace Waterspout.Errors;

/// <summary>A connection did not begin with the header that it must have. The message is for the log.</summary>
internal sealed class ProxyHeaderException(string message) : IOException(message);
