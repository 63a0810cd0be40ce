namespace Waterspout.Tests;

/// <summary>Which form of InvokeAsync and RunSync a function is taken for, and that each runs on the loop.</summary>
[OnEachPoller]
public sealed class InvokeFormTests : LoopTest
{
    [Fact]
    public void Every_kind_of_function_runs_on_the_loop_and_is_awaited_to_its_end() => Run(() => Task.Run(async () =>
    {
        Task<int> value = Loop.InvokeAsync(() => OnLoop(1));
        Assert.Equal(1, await value);
        int noted = 0;
        Task action = Loop.InvokeAsync(() => { noted = OnLoop(2); });
        await action;
        Assert.Equal(2, noted);
        Task<int> task = Loop.InvokeAsync(async () => { await Task.Yield(); return OnLoop(3); });
        Assert.Equal(3, await task);
        await Loop.InvokeAsync(async () => { await Task.Yield(); noted = OnLoop(4); });
        Assert.Equal(4, noted);
        Task<int> fromValueTask = Loop.InvokeAsync(() => ValueAsync(5));
        Assert.Equal(5, await fromValueTask);
        await Loop.InvokeAsync(() => NoteAsync());
        Assert.Equal(6, noted);

        async ValueTask NoteAsync()
        {
            await Task.Yield();
            noted = OnLoop(6);
        }
    }));

    [Fact]
    public void Every_kind_of_function_is_a_main() => Check(() =>
    {
        Assert.Equal(1, Loop.RunSync(() => OnLoop(1)));
        int noted = 0;
        Loop.RunSync(() => { noted = OnLoop(2); });
        Assert.Equal(2, noted);
        Assert.Equal(3, Loop.RunSync(() => ValueAsync(3)));
        Loop.RunSync(() => NoteAsync(), Limit);
        Assert.Equal(4, noted);
        Assert.Equal(5, Loop.RunSync(async () => { await Task.Yield(); return OnLoop(5); }));

        async ValueTask NoteAsync()
        {
            await Task.Yield();
            noted = OnLoop(4);
        }
    });

    [Fact]
    public void Errors_of_every_kind_reach_the_caller() => Run(() => Task.Run(async () =>
    {
        await Assert.ThrowsAsync<InvalidDataException>(() => Loop.InvokeAsync(() => Fail()));
        await Assert.ThrowsAsync<InvalidDataException>(() => Loop.InvokeAsync(() => { _ = Fail(); }));
        await Assert.ThrowsAsync<InvalidDataException>(() => Loop.InvokeAsync(() => FailAsync()));
        await Assert.ThrowsAsync<InvalidDataException>(() => Loop.InvokeAsync(() => FailWithoutResultAsync()));
    }));

    private int OnLoop(int value) => Loop.IsCurrent ? value : throw new InvalidOperationException("Not on the loop.");

    private async ValueTask<int> ValueAsync(int value)
    {
        await Task.Yield();
        return OnLoop(value);
    }

    private static int Fail() => throw new InvalidDataException();

    private static ValueTask<int> FailAsync() => throw new InvalidDataException();

    private static async ValueTask FailWithoutResultAsync()
    {
        await Task.Yield();
        throw new InvalidDataException();
    }
}
