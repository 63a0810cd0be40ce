using Waterspout.Interop;

namespace Waterspout.Polling;

/// <summary>
/// Reports to a loop which descriptors are ready. A port to another operating system is one more implementation.
/// </summary>
/// <remarks>
/// What an implementation must guarantee:
/// <list type="number">
/// <item>All members are called on the loop's thread, except <see cref="Wake"/>, <see cref="Probe"/> and <see cref="MustRearm"/>, which any
/// thread may call at any time.</item>
/// <item>A level-triggered registration is reported as long as the descriptor is ready.</item>
/// <item>An edge-triggered registration is reported at least once for every direction that becomes ready, if that direction was not ready
/// at the time of <see cref="Add"/> or of its <see cref="Rearm"/>. It may be reported more often. Its owner calls <see cref="Rearm"/> after
/// every operation that would have blocked or that fell short, so that a level-triggered poller can be quiet in between.</item>
/// <item>After <see cref="Remove"/>, <see cref="Wait"/> no longer reports the registration. The loop drops reports in the batch that is
/// being dispatched, by the token.</item>
/// <item>A <see cref="Wake"/> that comes during or before a <see cref="Wait"/> ends that wait.</item>
/// </list>
/// </remarks>
internal interface IPoller : IDisposable
{
    /// <summary>Throws if a descriptor cannot be watched. Needs no descriptor of its own, since there may be no free one.</summary>
    /// <exception cref="ArgumentException">The descriptor is always ready: a regular file, a directory, /dev/null.</exception>
    /// <exception cref="IOException">There is no such descriptor.</exception>
    void Probe(Descriptor fd);

    /// <summary>Starts watching. Each report returns <paramref name="token"/>.</summary>
    void Add(Descriptor fd, ulong token, IOEvents events, bool edgeTriggered);

    /// <summary>Changes what a level-triggered registration waits for.</summary>
    void Modify(Descriptor fd, ulong token, IOEvents events);

    /// <summary>An edge-triggered descriptor was found not ready: report when it is.</summary>
    /// <param name="fd">The descriptor.</param>
    /// <param name="token">The registration's token.</param>
    /// <param name="events">The direction that was not ready.</param>
    /// <param name="traits">
    /// If not <see cref="DescriptorTraits.Exact"/>, the descriptor may be ready all the same, and that is reported too.
    /// </param>
    void Rearm(Descriptor fd, ulong token, IOEvents events, DescriptorTraits traits);

    /// <summary>
    /// <see cref="Rearm"/> does something for an edge-triggered descriptor with these traits. May be called from any thread.
    /// </summary>
    bool MustRearm(DescriptorTraits traits);

    /// <summary>Stops watching. Called before the descriptor is closed.</summary>
    void Remove(Descriptor fd);

    /// <summary>Waits for events, for at most <paramref name="timeout"/> milliseconds (-1: no limit), and returns their number.</summary>
    int Wait(int timeout);

    /// <summary>The report at <paramref name="index"/> of the last <see cref="Wait"/>.</summary>
    (ulong Token, IOEvents Events) GetReport(int index);

    /// <summary>Ends the current or the next <see cref="Wait"/>. May be called from any thread.</summary>
    void Wake();
}
