using System.Diagnostics;
using System.Runtime.InteropServices;
using Waterspout.Interop;

namespace Waterspout.Loop;

/// <summary>The descriptors that a loop watches and their handlers, found by token.</summary>
/// <remarks>
/// A token is a slot and the slot's generation, which changes at each removal. So if a descriptor is closed and its number reused within
/// one batch of events, the new one never gets the events of the old one.
///
/// A stream is referenced weakly while nothing is pending on it, so that a dropped stream can be finalized and its descriptor closed. Its
/// root keeps it alive while an operation is pending.
/// </remarks>
internal sealed class RegistrationTable
{
    private readonly Stack<int> _free = [];
    private Slot[] _slots = new Slot[16];
    private int _used;

    // A struct, since an object for each would be another 48 bytes per idle connection.
    private struct Slot
    {
        public IReadinessHandler? Root;
        public uint Generation;
        public Descriptor Fd; // before the handle: the runtime places structs in this order, and so fills the gap of four bytes
        public WeakGCHandle<IReadinessHandler> Weak;
    }

    internal int Count => _used - _free.Count;

    internal IEnumerable<IReadinessHandler> Handlers =>
        _slots.Take(_used).Select(static slot => HandlerOf(slot)).OfType<IReadinessHandler>().ToArray();

    internal Registration Add(Descriptor fd, IReadinessHandler handler, bool isWeak)
    {
        if (!_free.TryPop(out int index))
        {
            if (_used == _slots.Length) Array.Resize(ref _slots, _used * 2);
            index = _used++;
            _slots[index].Generation = 1;
        }

        ref Slot slot = ref _slots[index];
        slot.Fd = fd;
        // Also tracks a stream that waits for its finalizer: a loop that is disposed meanwhile still has to close it.
        if (isWeak) slot.Weak = new WeakGCHandle<IReadinessHandler>(handler, trackResurrection: true);
        else slot.Root = handler;
        return new Registration(((ulong)slot.Generation << 32) | (uint)index);
    }

    /// <summary>False if it was already removed.</summary>
    internal bool Remove(Registration registration)
    {
        if (!IsHere(registration.Token)) return false;
        ref Slot slot = ref this[registration];
        if (slot.Weak.IsAllocated) slot.Weak.Dispose();
        slot.Weak = default;
        slot.Root = null;
        // Neither the all-ones generation, with which a token could equal the pollers' own, nor zero, which no registration has.
        if (++slot.Generation == uint.MaxValue) slot.Generation = 1;
        _free.Push((int)(uint)registration.Token);
        return true;
    }

    /// <summary>The handler, or null if it was removed or collected.</summary>
    internal IReadinessHandler? Find(ulong token) => IsHere(token) ? HandlerOf(_slots[(uint)token]) : null;

    internal Descriptor FdOf(Registration registration) => this[registration].Fd;

    internal void SetRoot(Registration registration, IReadinessHandler? root) => this[registration].Root = root;

    /// <summary>
    /// While the loop waits, nothing but its root keeps a stream alive. One that somebody waits for would be collected, and the wait would
    /// never end.
    /// </summary>
    [Conditional("DEBUG")]
    internal void AssertRoots()
    {
        // Not more than that, so that tests with thousands of streams stay fast.
        foreach (Slot slot in _slots.AsSpan(0, Math.Min(_used, 64)))
            Debug.Assert(slot.Root is not null || HandlerOf(slot) is not { NeedsRoot: true }, $"{HandlerOf(slot)} waits and has no root: UpdateRoot was not called.");
    }

    private ref Slot this[Registration registration]
    {
        get
        {
            Debug.Assert(IsHere(registration.Token), "The registration was removed, and its slot may be reused.");
            return ref _slots[(uint)registration.Token];
        }
    }

    private bool IsHere(ulong token) => (uint)token < (uint)_used && _slots[(uint)token].Generation == (uint)(token >> 32);

    private static IReadinessHandler? HandlerOf(in Slot slot) =>
        slot.Root ?? (slot.Weak.IsAllocated && slot.Weak.TryGetTarget(out IReadinessHandler? handler) ? handler : null);
}
