namespace Waterspout.Interop;

/// <summary>The call <c>poll</c>, which every POSIX system has.</summary>
internal static unsafe class Poll
{
    internal static PosixResult Wait(Span<LibC.pollfd> descriptors, int timeout)
    {
        // SAFETY: the array is pinned for the call, which may block: the owner passes pinned memory.
        fixed (LibC.pollfd* start = descriptors)
            return PosixResult.From(LibC.poll(start, (nuint)descriptors.Length, timeout));
    }
}
