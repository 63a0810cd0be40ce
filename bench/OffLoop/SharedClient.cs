using System.Collections.Concurrent;
using System.Net.Sockets;

namespace Waterspout.Bench.OffLoop;

/// <summary>A connection that 64 callers share, as clients of Redis do: commands in order, answers in the same order.</summary>
internal sealed class SharedClient(ILink link)
{
    private const int Callers = 64;
    private const int Commands = 20_000;

    private readonly ConcurrentQueue<TaskCompletionSource<int>> _waiting = new();
    private readonly SemaphoreSlim _order = new(1);

    internal static async Task RunAsync(ILink link)
    {
        await link.BeginAsync();
        SharedClient client = new(link);
        Task reading = client.ReadAsync();
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(client.CallAsync)));
        await reading;
        await link.EndAsync();
    }

    internal static async Task SwitchedAsync(Socket socket)
    {
        await IOLoop.Default.SwitchTo();
        StreamLink link = new(socket);
        await link.BeginAsync();
        SharedClient client = new(link);
        Task reading = client.ReadAsync();
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => client.CallAsync()));
        await reading;
        await link.EndAsync();
    }

    private static int Share(int caller) => (Commands / Callers) + (caller < Commands % Callers ? 1 : 0);

    private int _callers;

    private async Task CallAsync()
    {
        int count = Share(Interlocked.Increment(ref _callers) - 1);
        byte[] command = "*2\r\n$3\r\nGET\r\n$4\r\nname\r\n"u8.ToArray();
        command.AsSpan().Replace((byte)'\n', (byte)' ');
        command[^1] = (byte)'\n';
        for (int i = 0; i < count; i++) await SendAsync(command);
    }

    private async Task<int> SendAsync(byte[] command)
    {
        TaskCompletionSource<int> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await _order.WaitAsync();
        try
        {
            _waiting.Enqueue(answer);
            await link.WriteAsync(command);
        }
        finally
        {
            _order.Release();
        }

        return await answer.Task;
    }

    private async Task ReadAsync()
    {
        for (int i = 0; i < Commands; i++)
        {
            int length = await link.ReadLineAsync();
            if (!_waiting.TryDequeue(out TaskCompletionSource<int>? answer)) throw new InvalidOperationException("An answer too many.");
            answer.SetResult(length);
        }
    }
}
