using Waterspout.Loop;

namespace Waterspout.Tests;

public sealed class TimerQueueTests : LoopTest
{
    [Theory]
    [InlineData(1, 10)]
    [InlineData(2, 1_000)]
    [InlineData(3, long.MaxValue)]
    public void Random_operations_agree_with_a_sorted_set(int seed, long latest) => Check(() =>
    {
        Random random = new(seed);
        TimerQueue queue = new();
        SortedSet<LoopTimer> model = new(Comparer<LoopTimer>.Create(static (a, b) => (a.Deadline, a.Sequence).CompareTo((b.Deadline, b.Sequence))));
        List<LoopTimer> queued = [];
        for (int i = 0; i < 20_000; i++)
        {
            // Grows in the first half and shrinks in the second.
            if (queued.Count == 0 || random.Next(100) < (i < 10_000 ? 60 : 40))
            {
                LoopTimer timer = new(Loop, () => { }, random.NextInt64(latest), 0);
                queue.Add(timer);
                model.Add(timer);
                queued.Add(timer);
            }
            else
            {
                int index = random.Next(2) == 0 ? queued.IndexOf(queue.First!) : random.Next(queued.Count);
                queue.Remove(queued[index]);
                model.Remove(queued[index]);
                queued.RemoveAt(index);
            }

            Assert.Equal(model.Count, queue.Count);
            Assert.Same(model.Min, queue.First);
        }

        foreach (LoopTimer timer in model.ToList())
        {
            Assert.Same(timer, queue.First);
            queue.Remove(timer);
        }

        Assert.Null(queue.First);
    });

    [Fact]
    public void Removing_a_timer_that_is_not_queued_does_nothing() => Check(() =>
    {
        TimerQueue queue = new();
        LoopTimer queued = new(Loop, () => { }, 1, 0);
        LoopTimer other = new(Loop, () => { }, 2, 0);
        queue.Add(queued);
        queue.Remove(other);
        queue.Remove(queued);
        queue.Remove(queued);
        Assert.Equal(0, queue.Count);
    });
}
