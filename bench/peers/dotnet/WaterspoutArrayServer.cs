namespace Waterspout.Bench.Peers;

/// <summary>Ours, with the form that most users write first: each line is an array.</summary>
internal sealed class WaterspoutArrayServer : IServer
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
        while (true) await stream.WriteAsync(await stream.ReadUntilAsync("\n"u8));
    }

    private static async Task CountLinesAsync(IOStream stream)
    {
        long count = 0;
        await foreach (byte[] _ in stream.SplitAsync("\n"u8.ToArray())) count++;
        await stream.WriteAsync(Answers.Number(count));
        await stream.FlushAsync();
    }
}
