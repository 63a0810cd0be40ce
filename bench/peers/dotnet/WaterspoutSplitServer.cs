namespace Waterspout.Bench.Peers;

/// <summary>Ours, with the form that hands over all the lines that have arrived at once.</summary>
internal sealed class WaterspoutSplitServer : IServer
{
    public bool Start(ServerOptions options)
    {
        if (options.Tls is not null) return false;
        Func<IOStream, Task>? handler = options.Mode switch
        {
            "echo" => EchoAsync,
            "sink-lines" => CountLinesAsync,
            _ => null,
        };
        if (handler is not null) WaterspoutHost.Listen(handler, options);
        return handler is not null;
    }

    private static async Task EchoAsync(IOStream stream)
    {
        ValueTask written = default;
        Func<ReadOnlySpan<byte>, bool> answer = line =>
        {
            _ = stream.WriteAsync(line);
            written = stream.WriteAsync("\n"u8);
            return written.IsCompleted;
        };
        while (await stream.SplitAsync("\n"u8, answer)) await written;
    }

    private static async Task CountLinesAsync(IOStream stream)
    {
        long count = 0;
        await stream.SplitAsync("\n"u8, _ =>
        {
            count++;
            return true;
        });
        await stream.WriteAsync(Answers.Number(count));
        await stream.FlushAsync();
    }
}
