namespace Waterspout.Tests;

/// <summary>Large reads into the caller's memory that are cancelled and restarted.</summary>
[OnEachPoller]
public sealed class IntoReadTests : LoopTest
{
    [Fact]
    public void A_read_that_is_cancelled_again_and_again_costs_no_more_for_what_it_has() => Run(async () =>
    {
        // If everything were copied back and forth at each attempt, this would take longer than any test may.
        const int Arrived = 40_000_000;
        (IOStream left, IOStream right) = IOStream.CreatePair();
        byte[] target = new byte[Arrived + 1];
        Task write = left.WriteAsync((ReadOnlyMemory<byte>)new byte[Arrived]).AsTask();
        using (CancellationTokenSource first = new())
        {
            Task<int> read = right.ReadIntoAsync(target, cancellationToken: first.Token).AsTask();
            await write;
            first.Cancel();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        }

        for (int i = 0; i < 10_000; i++)
        {
            using CancellationTokenSource source = new();
            Task<int> read = right.ReadIntoAsync(target, cancellationToken: source.Token).AsTask();
            source.Cancel();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        }

        await left.WriteAsync("!"u8);
        Assert.Equal(target.Length, await right.ReadIntoAsync(target));
        Assert.Equal((byte)'!', target[^1]);
    });

    [Theory]
    [InlineData(104_857_600)]
    [InlineData(100_000)]
    public void Every_byte_keeps_its_place(int maxBufferSize) => Run(async () =>
    {
        Random random = NewRandom();
        (IOStream left, IOStream right) = IOStream.CreatePair(new IOStreamOptions { MaxBufferSize = maxBufferSize });
        byte[] data = new byte[20_000_000];
        random.NextBytes(data);
        Task write = SendAsync();
        for (int at = 0; at < data.Length;)
        {
            byte[] target = new byte[Math.Min(random.Next(1, 600_000), data.Length - at)];
            using CancellationTokenSource source = new();
            Task<int> read = right.ReadIntoAsync(target, cancellationToken: source.Token).AsTask();
            await Turns(random.Next(4));
            source.Cancel();
            if (await Record.ExceptionAsync(() => read) is not null) continue;
            Assert.True(target.AsSpan().SequenceEqual(data.AsSpan(at, target.Length)), $"Different in the {target.Length} bytes from {at}.");
            at += target.Length;
        }

        await write;

        async Task SendAsync()
        {
            for (int sent = 0, count; sent < data.Length; sent += count)
            {
                count = Math.Min(random.Next(1, 50_000), data.Length - sent);
                await left.WriteAsync(data.AsMemory(sent, count));
                if (random.Next(3) == 0) await Turn();
            }
        }
    });
}
