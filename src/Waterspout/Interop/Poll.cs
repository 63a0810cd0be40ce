namespace Waterspout.Interop;

/// <summary>The call <c>poll</c>, which every POSIX system has.</summary>
internal static unsafe class Poll
{
    /// <summary>Both sides have hung up, or there is no connection. Asks without taking an error that may wait.</summary>
    internal static bool HasHungUp(int fd) => Has(fd, LibC.POLLHUP);

    /// <summary>The peer has ended its side, or both have.</summary>
    internal static bool HasEnded(int fd) => Has(fd, LibC.POLLRDHUP | LibC.POLLHUP);

    // A hang-up is told also to who does not ask for it.
    private static bool Has(int fd, short events)
    {
        Span<LibC.pollfd> one = [new LibC.pollfd { fd = fd, events = events }];
        return Wait(one, 0).IsSuccess && (one[0].revents & events) != 0;
    }

    internal static PosixResult Wait(Span<LibC.pollfd> descriptors, int timeout)
    {
        // SAFETY: the array is pinned for the call, which may block: the owner passes pinned memory.
        fixed (LibC.pollfd* start = descriptors)
            return PosixResult.From(LibC.poll(start, (nuint)descriptors.Length, timeout));
    }
}
