using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Waterspout.Loop;

/// <summary>The descriptors that a loop watches and who is told of them, found by token.</summary>
/// <remarks>
/// A token is a slot and the slot's generation, which changes at each removal. A descriptor that is closed and whose
/// number is used again within one batch of events therefore never gets the events of the one before.
///
/// A stream is held weakly while nothing is pending on it, so that one that its user has dropped can be finalized and
/// its descriptor closed. Its root holds it while somebody waits.
/// </remarks>
internal sealed class RegistrationTable
{
    private readonly Stack<int> _free = [];
    private Slot[] _slots = new Slot[16];
    private int _used;

    // A value, since an object for each would be another 48 bytes of an idle connection.
    private struct Slot
    {
        public IReadinessHandler? Root;
        public WeakGCHandle<IReadinessHandler> Weak;
        public int Fd;
        public uint Generation;
    }

    internal int Count => _used - _free.Count;

    internal IEnumerable<IReadinessHandler> Handlers =>
        _slots.Take(_used).Select(static slot => HandlerOf(slot)).OfType<IReadinessHandler>().ToArray();

    internal Registration Add(int fd, IReadinessHandler handler, bool isWeak)
    {
        if (!_free.TryPop(out int index))
        {
            if (_used == _slots.Length) Array.Resize(ref _slots, _used * 2);
            index = _used++;
            _slots[index].Generation = 1;
        }

        ref Slot slot = ref _slots[index];
        slot.Fd = fd;
        // Also to one that waits for its finalizer: a loop that is disposed meanwhile still has to close it.
        if (isWeak) slot.Weak = new WeakGCHandle<IReadinessHandler>(handler, trackResurrection: true);
        else slot.Root = handler;
        return new Registration(((ulong)slot.Generation << 32) | (uint)index);
    }

    /// <summary>False where it has been removed before.</summary>
    internal bool Remove(Registration registration)
    {
        if (!IsHere(registration.Token)) return false;
        ref Slot slot = ref this[registration];
        if (slot.Weak.IsAllocated) slot.Weak.Dispose();
        slot.Weak = default;
        slot.Root = null;
        // Neither the all-ones generation, with which a token could equal the pollers' own, nor zero, which is no registration's.
        if (++slot.Generation == uint.MaxValue) slot.Generation = 1;
        _free.Push((int)(uint)registration.Token);
        return true;
    }

    /// <summary>Who is told; null where the registration is gone, or the one who was to be told.</summary>
    internal IReadinessHandler? Find(ulong token) => IsHere(token) ? HandlerOf(_slots[(uint)token]) : null;

    internal int FdOf(Registration registration) => this[registration].Fd;

    internal void SetRoot(Registration registration, IReadinessHandler? root) => this[registration].Root = root;

    private ref Slot this[Registration registration]
    {
        get
        {
            Debug.Assert(IsHere(registration.Token), "The registration is gone, and its slot another's.");
            return ref _slots[(uint)registration.Token];
        }
    }

    private bool IsHere(ulong token) => (uint)token < (uint)_used && _slots[(uint)token].Generation == (uint)(token >> 32);

    private static IReadinessHandler? HandlerOf(in Slot slot) =>
        slot.Root ?? (slot.Weak.IsAllocated && slot.Weak.TryGetTarget(out IReadinessHandler? handler) ? handler : null);
}
