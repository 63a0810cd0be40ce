namespace Waterspout.Interop;

/// <summary>The call <c>poll</c>, available on every POSIX system.</summary>
internal static unsafe class Poll
{
    /// <summary>Both sides have hung up, or there is no connection. Does not consume a pending error.</summary>
    internal static bool HasHungUp(Descriptor fd) => Has(fd, LibC.POLLHUP);

    /// <summary>The peer has shut down its side, or both sides have.</summary>
    internal static bool HasEnded(Descriptor fd) => Has(fd, LibC.POLLRDHUP | LibC.POLLHUP);

    // POLLHUP is reported even if it is not requested.
    private static bool Has(Descriptor fd, short events)
    {
        Span<LibC.pollfd> one = [new LibC.pollfd { fd = fd.Number, events = events }];
        return Wait(one, 0).IsSuccess && (one[0].revents & events) != 0;
    }

    internal static PosixResult Wait(Span<LibC.pollfd> descriptors, int timeout)
    {
        // SAFETY: the array is pinned for the call, which may block: the owner passes pinned memory.
        fixed (LibC.pollfd* start = descriptors)
            return PosixResult.From(LibC.poll(start, (nuint)descriptors.Length, timeout));
    }
}
