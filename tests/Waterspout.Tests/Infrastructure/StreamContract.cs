using System.Text;
using Waterspout.Diagnostics;

namespace Waterspout.Tests;

/// <summary>What every kind of stream does, over a pair of them.</summary>
public abstract class StreamContract : LoopTest
{
    protected Transport Transport { get; } = Transports.Make(Setting.Current);

    private LoopCounters Counters => Loop.Counters;

    /// <summary>Runs a body with a connected pair: left writes, right reads.</summary>
    protected void RunPair(Func<BaseIOStream, BaseIOStream, Task> body, IOStreamOptions? options = null) => Run(async () =>
    {
        (BaseIOStream left, BaseIOStream right) = await Transport.ConnectAsync(options);
        await body(left, right);
    });

    /// <summary>Sends a piece and waits until it has been received by itself. A read must be pending.</summary>
    protected async Task SendAlone(BaseIOStream stream, ReadOnlyMemory<byte> piece)
    {
        long target = Counters.BytesIn + piece.Length;
        await stream.WriteAsync(piece);
        while (Counters.BytesIn < target) await Turn();
    }

    /// <summary>Sends data and waits until the other side has it in its buffer.</summary>
    protected static async Task Buffer(BaseIOStream from, BaseIOStream to, string text)
    {
        await from.WriteAsync(Bytes(text));
        await to.PeekAsync(text.Length);
    }

    /// <summary>Writes something, and closes the stream in an orderly way.</summary>
    protected static async Task WriteAndClose(BaseIOStream stream, string data)
    {
        await stream.WriteAsync(Bytes(data));
        await stream.CloseAsync();
    }

    /// <summary>Writes more than is sent without a reader. The write is returned in <paramref name="pending"/>.</summary>
    protected byte[] Clog(BaseIOStream stream, out Task pending)
    {
        byte[] data = new byte[Transport.MoreThanTheKernelTakes];
        new Random(1).NextBytes(data);
        pending = stream.WriteAsync((ReadOnlyMemory<byte>)data).AsTask();
        Assert.False(pending.IsCompleted);
        Assert.True(stream.IsWriting);
        return data;
    }

    /// <summary>The one line about the close of a stream, the only one of its name that has closed.</summary>
    protected LogLine CloseLine(BaseIOStream stream) => Assert.Single(Log.Lines, line => line.Message.StartsWith($"{stream} closed: "));

    /// <summary>Waits until the stream knows that it is closed.</summary>
    protected static Task WhenClosed(BaseIOStream stream)
    {
        TaskCompletionSource closed = new();
        stream.SetCloseCallback(closed.SetResult);
        return closed.Task;
    }

    /// <summary>Waits until the peer's EOF, or the close, is reported.</summary>
    protected static Task WhenEndIsTold(BaseIOStream stream)
    {
        TaskCompletionSource told = new();
        stream.Closed.Register(told.SetResult);
        return told.Task;
    }

    /// <summary>What has happened is so usual that it is logged at Debug only.</summary>
    protected void AssertLogIsQuiet() => Assert.DoesNotContain(Log.Lines, line => line.Level > Microsoft.Extensions.Logging.LogLevel.Debug);

    protected static byte[] RandomBytes(Random random, int count)
    {
        byte[] data = new byte[count];
        random.NextBytes(data);
        return data;
    }

    protected static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    protected static string Text(ReadOnlySpan<byte> data) => Encoding.Latin1.GetString(data);

    protected static async Task AssertReads(string expected, ValueTask<byte[]> read) => Assert.Equal(expected, Text(await read));

    protected static Task<TException> AssertFails<TException>(ValueTask operation)
        where TException : Exception => Assert.ThrowsAsync<TException>(operation.AsTask);

    protected static Task<TException> AssertFails<TException>(ValueTask<byte[]> operation)
        where TException : Exception => Assert.ThrowsAsync<TException>(operation.AsTask);

    protected static Task<TException> AssertFails<TException>(ValueTask<int> operation)
        where TException : Exception => Assert.ThrowsAsync<TException>(operation.AsTask);

    protected static Task<TException> AssertFails<TException>(ValueTask<long> operation)
        where TException : Exception => Assert.ThrowsAsync<TException>(operation.AsTask);

    protected static Task<TException> AssertFails<TException>(ValueTask<bool> operation)
        where TException : Exception => Assert.ThrowsAsync<TException>(operation.AsTask);

    protected static Task<TException> AssertFails<TException>(ValueTask<string> operation)
        where TException : Exception => Assert.ThrowsAsync<TException>(operation.AsTask);

    /// <summary>Fails with a short message, without two arrays of a megabyte.</summary>
    protected static void AssertSame(ReadOnlyMemory<byte> expected, ReadOnlyMemory<byte> actual)
    {
        int common = expected.Span.CommonPrefixLength(actual.Span);
        if (common == expected.Length && common == actual.Length) return;
        Assert.Fail($"The data differs at {common}: {expected.Length} bytes were expected and {actual.Length} read.");
    }
}
