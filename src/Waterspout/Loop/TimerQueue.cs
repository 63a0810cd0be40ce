using System.Diagnostics;

namespace Waterspout.Loop;

/// <summary>The timers of a loop, soonest first: a heap that can also remove an entry in the middle.</summary>
/// <remarks>Each entry has four children: half the depth of a binary heap, and the four are adjacent in memory.</remarks>
internal sealed class TimerQueue
{
    private const int Arity = 4;

    private LoopTimer[] _heap = new LoopTimer[16];

    internal int Count { get; private set; }

    /// <summary>The number of the next timer: queued timers have smaller ones.</summary>
    internal long NextSequence { get; private set; }

    internal LoopTimer? First => Count > 0 ? _heap[0] : null;

    internal void Add(LoopTimer timer)
    {
        Debug.Assert(timer.Index == LoopTimer.Unqueued, "The timer is already queued.");
        if (Count == _heap.Length) Array.Resize(ref _heap, Count * 2);
        timer.Sequence = NextSequence++;
        MoveUp(timer, Count++);
    }

    internal void Remove(LoopTimer timer)
    {
        int index = timer.Index;
        if (index == LoopTimer.Unqueued) return;
        timer.Index = LoopTimer.Unqueued;

        LoopTimer last = _heap[--Count];
        _heap[Count] = null!;
        if (last == timer) return;
        MoveUp(last, index);
        MoveDown(last, last.Index);
    }

    internal void Clear()
    {
        Array.Clear(_heap, 0, Count);
        Count = 0;
    }

    private static bool IsSooner(LoopTimer a, LoopTimer b) =>
        a.Deadline != b.Deadline ? a.Deadline < b.Deadline : a.Sequence < b.Sequence;

    private void MoveUp(LoopTimer timer, int index)
    {
        while (index > 0)
        {
            LoopTimer parent = _heap[(index - 1) / Arity];
            if (!IsSooner(timer, parent)) break;
            Place(parent, index);
            index = (index - 1) / Arity;
        }

        Place(timer, index);
    }

    private void MoveDown(LoopTimer timer, int index)
    {
        while (true)
        {
            int child = (index * Arity) + 1;
            if (child >= Count) break;
            int soonest = child;
            for (int i = child + 1; i < Math.Min(child + Arity, Count); i++)
                if (IsSooner(_heap[i], _heap[soonest])) soonest = i;
            if (!IsSooner(_heap[soonest], timer)) break;
            LoopTimer moved = _heap[soonest];
            Place(moved, index);
            index = soonest;
        }

        Place(timer, index);
    }

    private void Place(LoopTimer timer, int index)
    {
        _heap[index] = timer;
        timer.Index = index;
    }
}
