namespace Waterspout.Polling;

/// <summary>
/// What a loop asks of the operating system: to be told which descriptors are ready. A port to another system
/// is one more implementation.
/// </summary>
/// <remarks>
/// What an implementation must guarantee:
/// <list type="number">
/// <item>All members are called on the loop's thread, except <see cref="Wake"/> and <see cref="Probe"/>, which any thread may call at any time.</item>
/// <item>A level-triggered registration is told of readiness as long as it lasts.</item>
/// <item>An edge-triggered registration is told of every direction at least once after it became ready, when it was
/// not ready at the time of <see cref="Add"/> or of the <see cref="Rearm"/> for that direction. It may be told more
/// often. Its owner calls <see cref="Rearm"/> after every operation that would have blocked or that fell short, so
/// that a poller that only knows levels can be quiet in between.</item>
/// <item>After <see cref="Remove"/>, <see cref="Wait"/> no longer reports the registration. Reports of the batch that
/// is being dispatched are the loop's to drop, by the token.</item>
/// <item>A <see cref="Wake"/> that comes during or before a <see cref="Wait"/> ends that wait.</item>
/// </list>
/// </remarks>
internal interface IPoller : IDisposable
{
    /// <summary>Throws where a descriptor cannot be watched. Needs no descriptor of its own, since that may be the one that is missing.</summary>
    /// <exception cref="ArgumentException">It is always ready: a regular file, a directory, /dev/null.</exception>
    /// <exception cref="IOException">There is no such descriptor.</exception>
    void Probe(int fd);

    /// <summary>Starts watching. <paramref name="token"/> comes back with each report.</summary>
    void Add(int fd, ulong token, IOEvents events, bool edgeTriggered);

    /// <summary>Changes what a level-triggered registration waits for.</summary>
    void Modify(int fd, ulong token, IOEvents events);

    /// <summary>An edge-triggered descriptor was found not ready: tell when it is.</summary>
    /// <param name="fd">The descriptor.</param>
    /// <param name="token">The registration's token.</param>
    /// <param name="events">The direction that was not ready.</param>
    /// <param name="traits">If not <see cref="DescriptorTraits.Exact"/>, the descriptor may be ready all the same, and that is reported as well.</param>
    void Rearm(int fd, ulong token, IOEvents events, DescriptorTraits traits);

    /// <summary>Stops watching. Called before the descriptor is closed.</summary>
    void Remove(int fd);

    /// <summary>Waits for events, for at most <paramref name="timeout"/> milliseconds (-1: without limit), and tells how many there are.</summary>
    int Wait(int timeout);

    /// <summary>The report at <paramref name="index"/> of the last <see cref="Wait"/>.</summary>
    (ulong Token, IOEvents Events) GetReport(int index);

    /// <summary>Ends the current or the next <see cref="Wait"/>. May be called from any thread.</summary>
    void Wake();
}
