namespace Waterspout.Diagnostics;

/// <summary>What a loop has done so far. Written only by its thread, read by metric collectors.</summary>
internal sealed class LoopCounters
{
    internal long Turns;
    internal long Stalls;
    internal long BusyTicks;
    internal long BytesIn;
    internal long BytesOut;
    internal long Accepted;
    internal long Refused;
    internal long HandshakesBegun;
    internal long HandshakesDone;
    internal int HandshakesWaiting;
    internal int StreamsOpen;

    /// <summary>Indexed by reason.</summary>
    internal readonly long[] Closes = new long[Enum.GetValues<CloseReason>().Length];

    /// <summary>Indexed by the reason of the close.</summary>
    internal readonly long[] HandshakeFailures = new long[Enum.GetValues<CloseReason>().Length];

    /// <summary>Indexed by what took too long.</summary>
    internal readonly long[] Timeouts = new long[Enum.GetValues<TimedOperation>().Length];

    private readonly HashSet<ICountsBytes> _connections = [];

    internal long HandshakesFailed => HandshakeFailures.Sum();

    internal long HandshakesUnderWay => HandshakesBegun - HandshakesDone - HandshakesFailed;

    /// <summary>Adds a connection that counts its own bytes, since any thread may use it.</summary>
    internal void Add(ICountsBytes connection)
    {
        lock (_connections) _connections.Add(connection);
    }

    /// <summary>The connection has closed.</summary>
    internal void Remove(ICountsBytes connection)
    {
        lock (_connections)
        {
            if (!_connections.Remove(connection)) return;
            BytesIn += connection.BytesReceived;
            BytesOut += connection.BytesSent;
        }
    }

    /// <summary>Adds what a loop that has ended has counted.</summary>
    internal void Add(LoopCounters ended)
    {
        Turns += ended.Turns;
        Stalls += ended.Stalls;
        BusyTicks += ended.BusyTicks;
        BytesIn += ended.SumBytes(isReceived: true);
        BytesOut += ended.SumBytes(isReceived: false);
        Accepted += ended.Accepted;
        Refused += ended.Refused;
        HandshakesBegun += ended.HandshakesBegun;
        HandshakesDone += ended.HandshakesDone;
        AddEach(Closes, ended.Closes);
        AddEach(HandshakeFailures, ended.HandshakeFailures);
        AddEach(Timeouts, ended.Timeouts);
    }

    private static void AddEach(long[] sums, long[] values)
    {
        for (int i = 0; i < sums.Length; i++) sums[i] += values[i];
    }

    /// <summary>The bytes of the loop's streams and of those connections, on any thread.</summary>
    internal long SumBytes(bool isReceived)
    {
        lock (_connections)
            return isReceived ? BytesIn + _connections.Sum(each => each.BytesReceived) : BytesOut + _connections.Sum(each => each.BytesSent);
    }
}

/// <summary>What has a time limit.</summary>
internal enum TimedOperation
{
    Connect,
    Handshake,
    Read,
    Write,
    Close,
}

/// <summary>A connection that counts what it has transferred. May be read from any thread.</summary>
internal interface ICountsBytes
{
    long BytesReceived { get; }

    long BytesSent { get; }
}
