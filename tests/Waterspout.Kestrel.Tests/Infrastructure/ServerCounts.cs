namespace Waterspout.Kestrel.Tests;

/// <summary>What a server process has, and has had.</summary>
/// <param name="Open">Connections, by Kestrel's own counter.</param>
/// <param name="Requests">Requests in work, by the host's own counter.</param>
/// <param name="Begun">Connections so far.</param>
/// <param name="Closed">How often a connection's token was cancelled.</param>
/// <param name="Waiting">Handlers that wait for the end of their request.</param>
/// <param name="AbortedTwice">Requests whose token was cancelled more than once.</param>
/// <param name="Descriptors">Open descriptors of the process.</param>
/// <param name="Heap">Bytes in use after a collection.</param>
/// <param name="Resident">Bytes of the process in memory.</param>
internal sealed record ServerCounts(
    long Open, long Requests, long Begun, long Closed, long Waiting, long AbortedTwice, int Descriptors, long Heap, long Resident);
