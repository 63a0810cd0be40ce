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
    internal long HandshakesDone;
    internal long HandshakesFailed;
    internal long ReadTimeouts;
    internal int StreamsOpen;

    /// <summary>Indexed by reason.</summary>
    internal readonly long[] Closes = new long[Enum.GetValues<CloseReason>().Length];
}
