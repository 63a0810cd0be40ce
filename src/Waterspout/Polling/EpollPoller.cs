using Waterspout.Interop;

namespace Waterspout.Polling;

/// <summary>The poller for Linux.</summary>
/// <remarks>
/// Theory of operation. A stream's descriptor is registered once, edge-triggered, for everything, and never modified:
/// two EPOLL_CTL_MOD a message cost 13 to 20 % of the CPU of a ping-pong. In return the stream must remember what was
/// reported (an edge comes once), and must continue until the kernel returns EAGAIN or, over TCP, less than was asked
/// for; only then is another edge certain to come. That is why <see cref="Rearm"/> does nothing if the kernel itself said so.
///
/// The kernel removes a closed descriptor by itself only when it has no duplicate left, for example in a child process. So
/// <see cref="Remove"/> is explicit: otherwise events of an unrelated file would arrive with our token.
/// </remarks>
internal sealed class EpollPoller : IPoller
{
    private const ulong WakeToken = ulong.MaxValue;

    // A batch beyond the cache size gains nothing. In Debug builds the tests fill the batch all the time.
#if DEBUG
    private const int BatchSize = 8;
#else
    private const int BatchSize = 256;
#endif

    // Not the token of any registration.
    private const ulong ProbeToken = 0;

    private readonly Epoll _epoll;
    private readonly EventFd? _wake;

    public EpollPoller()
    {
        _epoll = new Epoll(BatchSize);
        try
        {
            _wake = new EventFd();
            // Edge-triggered, so that the counter need not be read: each signal is an edge. It overflows after 2^64 of them.
            Check(_epoll.Add(_wake.Fd, (uint)IOEvents.Read | LibC.EPOLLET, WakeToken), _wake.Fd);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    // The kernel's answer to an attempt is the only one that is right for every kind of descriptor. An event that arrives meanwhile belongs
    // to no registration.
    public void Probe(Descriptor fd)
    {
        PosixResult added = _epoll.Add(fd, 0, ProbeToken);
        if (added.IsSuccess) _epoll.Remove(fd);
        else if (added.Error != Errno.EEXIST) Check(added, fd);
    }

    public void Add(Descriptor fd, ulong token, IOEvents events, bool edgeTriggered)
    {
        uint mask = edgeTriggered ? (uint)events | LibC.EPOLLET : (uint)events;
        Check(_epoll.Add(fd, mask, token), fd);
    }

    public void Modify(Descriptor fd, ulong token, IOEvents events) => Check(_epoll.Modify(fd, (uint)events, token), fd);

    // The registration is permanent, and the next edge comes by itself.
    public bool MustRearm(DescriptorTraits traits) => (traits & DescriptorTraits.Exact) == 0;

    public void Rearm(Descriptor fd, ulong token, IOEvents events, DescriptorTraits traits)
    {
        // Modifying the registration, even without a change, makes the kernel check again, and report readiness that it has
        // reported before.
        if (MustRearm(traits)) _epoll.Modify(fd, (uint)EdgeEvents.All | LibC.EPOLLET, token);
    }

    // Fails if the descriptor was closed by other code. Nothing is left to do then.
    public void Remove(Descriptor fd) => _epoll.Remove(fd);

    public int Wait(int timeout)
    {
        PosixResult result = _epoll.Wait(timeout);
        if (result.IsSuccess) return result.Value;
        return result.Error == Errno.EINTR ? 0 : result.ValueOrThrow("epoll_wait");
    }

    public (ulong Token, IOEvents Events) GetReport(int index)
    {
        (uint events, ulong token) = _epoll[index];
        return (token, (IOEvents)events);
    }

    public void Wake() => _wake!.Signal();

    public void Dispose()
    {
        _epoll.Dispose();
        _wake?.Dispose();
    }

    private static void Check(PosixResult result, Descriptor fd)
    {
        if (result.IsSuccess) return;
        if (result.Error == Errno.EPERM) throw PollerFactory.NotPollable(fd);
        result.ValueOrThrow($"epoll_ctl on descriptor {fd}");
    }
}
