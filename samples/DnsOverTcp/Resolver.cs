using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using Waterspout;

namespace DnsOverTcp;

/// <summary>Asks a server over one connection. Answers come in any order, and each has the number of its question.</summary>
internal sealed class Resolver : IAsyncDisposable
{
    private static readonly FrameLength s_length = new(2);

    private readonly ConcurrentDictionary<ushort, TaskCompletionSource<IPAddress[]>> _asked = new();
    private readonly IOStream _stream;
    private readonly Task _reading;
    private int _lastId = Random.Shared.Next();

    internal Resolver(IOStream stream)
    {
        _stream = stream;
        _reading = ReadAsync();
    }

    /// <summary>May be called from any thread, and before earlier questions are answered.</summary>
    internal async Task<IPAddress[]> ResolveAsync(string name, ushort type, TimeSpan timeout)
    {
        ushort id = (ushort)Interlocked.Increment(ref _lastId);
        TaskCompletionSource<IPAddress[]> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!_asked.TryAdd(id, answer)) throw new InvalidOperationException("65,536 questions are waiting.");
        try
        {
            await _stream.WriteAsync(Frame(Message.Question(id, name, type)).AsMemory());
            return await answer.Task.WaitAsync(timeout);
        }
        finally
        {
            _asked.TryRemove(id, out _);
        }
    }

    /// <summary>A message with its length in front, as one write: so no other thread's write comes between them.</summary>
    internal static byte[] Frame(byte[] message)
    {
        byte[] frame = new byte[2 + message.Length];
        BinaryPrimitives.WriteUInt16BigEndian(frame, (ushort)message.Length);
        message.CopyTo(frame, 2);
        return frame;
    }

    internal static ValueTask<byte[]> ReadAsync(IOStream stream, CancellationToken stopping) => stream.ReadFrameAsync(s_length, cancellationToken: stopping);

    public async ValueTask DisposeAsync()
    {
        await _stream.CloseAsync();
        await _reading;
    }

    private async Task ReadAsync()
    {
        Exception error;
        try
        {
            while (true) Complete(await ReadAsync(_stream, CancellationToken.None));
        }
        catch (Exception failure) when (failure is StreamClosedException or InvalidDataException)
        {
            error = failure;
        }

        _stream.Close();
        foreach (TaskCompletionSource<IPAddress[]> answer in _asked.Values) answer.TrySetException(error);
    }

    private void Complete(byte[] message)
    {
        // An answer that comes after its time limit has nobody who waits for it.
        if (!_asked.TryGetValue(Message.Id(message), out TaskCompletionSource<IPAddress[]>? answer)) return;
        try
        {
            answer.TrySetResult(Message.ReadAnswer(message));
        }
        catch (InvalidDataException error)
        {
            answer.TrySetException(error); // this answer alone: where the next one begins is known
        }
    }
}
