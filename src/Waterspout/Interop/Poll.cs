namespace Waterspout.Interop;

/// <summary>The call <c>poll</c>, which every POSIX system has.</summary>
internal static unsafe class Poll
{
    /// <summary>Both sides have hung up, or there is no connection. Asks without taking an error that may wait.</summary>
    internal static bool HasHungUp(int fd)
    {
        Span<LibC.pollfd> one = [new LibC.pollfd { fd = fd }];
        return Wait(one, 0).IsSuccess && (one[0].revents & LibC.POLLHUP) != 0;
    }

    /// <summary>The peer has ended its side, or both have.</summary>
    internal static bool HasEnded(int fd)
    {
        Span<LibC.pollfd> one = [new LibC.pollfd { fd = fd, events = LibC.POLLRDHUP }];
        return Wait(one, 0).IsSuccess && (one[0].revents & (LibC.POLLRDHUP | LibC.POLLHUP)) != 0;
    }

    internal static PosixResult Wait(Span<LibC.pollfd> descriptors, int timeout)
    {
        // SAFETY: the array is pinned for the call, which may block: the owner passes pinned memory.
        fixed (LibC.pollfd* start = descriptors)
            return PosixResult.From(LibC.poll(start, (nuint)descriptors.Length, timeout));
    }
}
