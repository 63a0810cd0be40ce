namespace Waterspout.Loop;

/// <summary>The registrations of a loop, found by token.</summary>
/// <remarks>
/// A token is a slot and the slot's generation, which changes at each removal. A descriptor that is closed and whose
/// number is used again within one batch of events therefore never gets the events of the one before.
/// </remarks>
internal sealed class RegistrationTable
{
    private readonly Stack<int> _free = [];
    private Slot[] _slots = new Slot[16];
    private int _used;

    private struct Slot
    {
        public Registration? Registration;
        public uint Generation;
    }

    internal int Count => _used - _free.Count;

    internal void Add(Registration registration)
    {
        if (!_free.TryPop(out int slot))
        {
            if (_used == _slots.Length) Array.Resize(ref _slots, _used * 2);
            slot = _used++;
        }

        _slots[slot].Registration = registration;
        registration.Token = ((ulong)_slots[slot].Generation << 32) | (uint)slot;
    }

    internal void Remove(Registration registration)
    {
        int slot = (int)(uint)registration.Token;
        if (Find(registration.Token) != registration) return;
        _slots[slot].Registration = null;
        // The all-ones generation is never used: with it a token could equal the pollers' own.
        if (++_slots[slot].Generation == uint.MaxValue) _slots[slot].Generation = 0;
        _free.Push(slot);
    }

    internal Registration? Find(ulong token)
    {
        uint slot = (uint)token;
        if (slot >= (uint)_used) return null;
        ref Slot entry = ref _slots[slot];
        return entry.Generation == (uint)(token >> 32) ? entry.Registration : null;
    }

    internal List<Registration> ToList()
    {
        List<Registration> all = [];
        for (int i = 0; i < _used; i++)
            if (_slots[i].Registration is { } registration) all.Add(registration);
        return all;
    }
}
