using Waterspout.Diagnostics;
using Waterspout.Interop;
using Waterspout.Loop;

namespace Waterspout;

public sealed partial class IOLoop : IConnectionLoop
{
    private ResumeQueue? _resumes; // on the loop's thread

    bool IConnectionLoop.IsInTurn => IsCurrent;

    bool IConnectionLoop.IsHome => IsCurrent;

    Moment IConnectionLoop.CurrentMoment => CurrentMoment;

    Registration IConnectionLoop.Watch(Descriptor fd, IReadinessHandler handler)
    {
        Registration registration = Register(fd, _registrations.Add(fd, handler, isWeak: false), Polling.EdgeEvents.All, edgeTriggered: true);
        if (handler is ICountsBytes connection) Counters.Add(connection);
        return registration;
    }

    void IConnectionLoop.Unregister(Registration registration)
    {
        if (_registrations.Find(registration.Token) is ICountsBytes connection) Counters.Remove(connection);
        Unregister(registration);
    }

    void IConnectionLoop.RearmAnywhere(Registration registration, IOEvents events, DescriptorTraits traits)
    {
        if (!_poller.MustRearm(traits)) return;
        TryInvoke((Loop: this, registration, events, traits), static call =>
        {
            // The connection may have closed meanwhile.
            if (call.Loop._registrations.Find(call.registration.Token) is not null) call.Loop.Rearm(call.registration, call.events, call.traits);
        });
    }

    bool IConnectionLoop.TryPost<T>(T state, Action<T> call) => TryPost(state, call);

    void IConnectionLoop.Resume(IThreadPoolWorkItem work) => (_resumes ??= new ResumeQueue()).Add(work);

    void IConnectionLoop.FlushAtEndOfTurn(IFlushable output) => FlushAtEndOfTurn(output);
}
