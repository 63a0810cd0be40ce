using Waterspout.Interop;

namespace Waterspout.Polling;

/// <summary>The poller over <c>poll</c>, for where epoll is forbidden, and as the proof that a poller can be replaced.</summary>
/// <remarks>
/// Theory of operation. <c>poll</c> is level-triggered and gets the whole list at each call, so a call costs time for every descriptor, and
/// changing an interest costs a store. Edge-triggered registrations are emulated: a reported direction is removed from the interest until
/// <see cref="Rearm"/> adds it again. Hang-ups and errors cannot be masked. So once one is reported, a descriptor with no interest left is
/// hidden from the kernel (its number is complemented, which poll skips) until it is re-armed; otherwise the loop would spin on it.
///
/// An error without a hang-up may be an error queue that is never read. It is reported for ever, while the connection is still alive. Such
/// a descriptor rests after each report: it is hidden for some milliseconds whatever it waits for, which delays its data by that time, and
/// costs the loop next to nothing.
/// </remarks>
internal sealed class PortablePoller : IPoller
{
    private const ulong WakeToken = ulong.MaxValue;
    private const IOEvents ErrorAlone = IOEvents.Error & ~IOEvents.HangUp;
    private const IOEvents Interests = IOEvents.Read | IOEvents.Write | IOEvents.ReadClosed;

    // A hundred reports a second for an error queue take less than a thousandth of a core.
    private const int Rest = 10; // milliseconds

    private readonly Dictionary<Descriptor, int> _indexes = [];
    private readonly List<Descriptor> _resting = [];
    private readonly List<(ulong Token, IOEvents Events)> _reports = [];
    private readonly (Descriptor Reader, Descriptor Writer) _wake = FileDescriptors.CreatePipe();
    private readonly byte[] _drain = new byte[64];

    // Pinned, since poll blocks while it uses the array. The first entry is the wake-up pipe.
    private LibC.pollfd[] _descriptors = GC.AllocateArray<LibC.pollfd>(16, pinned: true);
    private Entry[] _entries = new Entry[16];
    private int _count;
    private long _restUntil;

    private struct Entry
    {
        public ulong Token;
        public bool EdgeTriggered;
        public bool IsResting;
    }

    public PortablePoller() => Add(_wake.Reader, WakeToken, IOEvents.Read, edgeTriggered: false);

    public void Add(Descriptor fd, ulong token, IOEvents events, bool edgeTriggered)
    {
        if (!_indexes.TryAdd(fd, _count)) throw new InvalidOperationException($"Descriptor {fd} is registered already.");
        if (_count == _descriptors.Length) Grow();
        // Edge-triggered handlers need Priority to know when to read again. This poller reports until nothing is left.
        if (edgeTriggered) events &= ~IOEvents.Priority;
        _descriptors[_count] = new LibC.pollfd { fd = fd.Number, events = (short)events };
        _entries[_count] = new Entry { Token = token, EdgeTriggered = edgeTriggered };
        _count++;
    }

    // poll reports every descriptor that it cannot watch as ready.
    public void Probe(Descriptor fd)
    {
        FileDescriptors.GetStatusFlags(fd).ValueOrThrow($"descriptor {fd}");
        if (FileDescriptors.IsAlwaysReady(fd)) throw PollerFactory.NotPollable(fd);
    }

    public void Modify(Descriptor fd, ulong token, IOEvents events)
    {
        int index = _indexes[fd];
        _descriptors[index].events = (short)events;
        _entries[index].Token = token;
    }

    public bool MustRearm(DescriptorTraits traits) => true;

    public void Rearm(Descriptor fd, ulong token, IOEvents events, DescriptorTraits traits)
    {
        if (!_indexes.TryGetValue(fd, out int index)) return;
        ref LibC.pollfd entry = ref _descriptors[index];
        entry.events |= (short)events;
        if (!_entries[index].IsResting) entry.fd = fd.Number;
    }

    public void Remove(Descriptor fd)
    {
        if (!_indexes.Remove(fd, out int index)) return;
        int last = --_count;
        if (index == last) return;
        _descriptors[index] = _descriptors[last];
        _entries[index] = _entries[last];
        _indexes[DescriptorOf(_descriptors[index])] = index;
    }

    public int Wait(int timeout)
    {
        _reports.Clear();
        timeout = EndRests(timeout);
        PosixResult result = Poll.Wait(_descriptors.AsSpan(0, _count), timeout);
        if (!result.IsSuccess)
            return result.Error == Errno.EINTR ? 0 : result.ValueOrThrow("poll");

        for (int i = 0, left = result.Value; left > 0 && i < _count; i++)
        {
            IOEvents events = (IOEvents)(ushort)_descriptors[i].revents;
            if (events == IOEvents.None) continue;
            left--;
            Report(i, events);
        }

        return _reports.Count;
    }

    public (ulong Token, IOEvents Events) GetReport(int index) => _reports[index];

    public void Wake() => FileDescriptors.Write(_wake.Writer, "!"u8);

    public void Dispose()
    {
        FileDescriptors.Close(_wake.Reader);
        FileDescriptors.Close(_wake.Writer);
    }

    private void Report(int index, IOEvents events)
    {
        ref Entry entry = ref _entries[index];
        _reports.Add((entry.Token, events));
        if (entry.Token == WakeToken) DrainWake();
        if (!entry.EdgeTriggered) return;
        Mask(ref _descriptors[index], events);
        if ((events & IOEvents.Error) == ErrorAlone) BeginRest(index);
    }

    private void BeginRest(int index)
    {
        ref LibC.pollfd entry = ref _descriptors[index];
        Hide(ref entry);
        // The peer's EOF is still of interest, even to a stream without a pending read.
        entry.events |= (short)IOEvents.ReadClosed;
        _entries[index].IsResting = true;
        if (_resting.Count == 0) _restUntil = Environment.TickCount64 + Rest;
        _resting.Add(DescriptorOf(entry));
    }

    /// <summary>Shows the resting descriptors again when their time is over. Returns the time that the next poll may take.</summary>
    private int EndRests(int timeout)
    {
        if (_resting.Count == 0) return timeout;
        long left = _restUntil - Environment.TickCount64;
        if (left > 0) return timeout < 0 ? (int)left : (int)Math.Min(left, timeout);
        foreach (Descriptor fd in _resting)
        {
            // Removed meanwhile, or the number was reused.
            if (!_indexes.TryGetValue(fd, out int index) || !_entries[index].IsResting) continue;
            _entries[index].IsResting = false;
            _descriptors[index].fd = fd.Number;
        }

        _resting.Clear();
        return timeout;
    }

    private static void Mask(ref LibC.pollfd entry, IOEvents reported)
    {
        // POLLRDHUP stays true for ever, so it is reported once, together with the readability that it implies.
        IOEvents masked = reported;
        if ((masked & IOEvents.ReadClosed) != 0) masked |= IOEvents.Read;
        if ((masked & IOEvents.Error) != 0) masked |= Interests;
        entry.events &= (short)~masked;
        if ((reported & (IOEvents.Error | IOEvents.ReadClosed)) != 0 && entry.events == 0) Hide(ref entry);
    }

    private static void Hide(ref LibC.pollfd entry) => entry.fd = ~DescriptorOf(entry).Number;

    private static Descriptor DescriptorOf(in LibC.pollfd entry) => new(entry.fd >= 0 ? entry.fd : ~entry.fd);

    private void DrainWake()
    {
        while (FileDescriptors.Read(_wake.Reader, _drain) is { IsSuccess: true } read && read.Value == _drain.Length)
        {
        }
    }

    private void Grow()
    {
        LibC.pollfd[] larger = GC.AllocateArray<LibC.pollfd>(_count * 2, pinned: true);
        Array.Copy(_descriptors, larger, _count);
        _descriptors = larger;
        Array.Resize(ref _entries, _count * 2);
    }
}
