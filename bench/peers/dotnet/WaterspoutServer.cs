using System.Text.RegularExpressions;

namespace Waterspout.Bench.Peers;

/// <summary>Ours, with the forms that copy nothing.</summary>
internal sealed partial class WaterspoutServer : IServer
{
    private readonly HashSet<IOStream> _all = [];
    private ServerOptions _options = null!;

    public bool Start(ServerOptions options)
    {
        _options = options;
        Func<IOStream, Task>? handler = GetHandler(options.Mode);
        if (handler is null || options.Tls is not null) return false;
        WaterspoutHost.Listen(handler, options);
        return true;
    }

    internal static async Task EchoAsync(IOStream stream)
    {
        Func<ReadOnlySpan<byte>, ValueTask> answer = line => stream.WriteAsync(line);
        while (true) await await stream.ReadUntilAsync("\n"u8, answer);
    }

    internal static async Task CountBytesAsync(IOStream stream, int size)
    {
        long count = 0;
        byte[] buffer = new byte[size];
        try
        {
            while (true) count += await stream.ReadIntoAsync(buffer, partial: true);
        }
        catch (StreamClosedException)
        {
            await AnswerAsync(stream, count);
        }
    }

    internal static async Task SendBytesAsync(IOStream stream, byte[] pattern)
    {
        long left = await stream.ReadUntilAsync("\n"u8, static line => Answers.Parse(line));
        for (; left > 0; left -= pattern.Length) await stream.WriteAsync(pattern.AsMemory(0, (int)Math.Min(left, pattern.Length)));
    }

    private Func<IOStream, Task>? GetHandler(string mode) => mode switch
    {
        "echo" => EchoAsync,
        "sink-lines" => CountLinesAsync,
        "sink-bulk" => stream => CountBytesAsync(stream, _options.Size),
        "source-bulk" => stream => SendBytesAsync(stream, _options.MakePattern()),
        "message" => AnswerLengthAsync,
        "exact" => stream => AnswerExactLengthAsync(stream, _options.Size),
        "regex" => AnswerRegexLengthAsync,
        "broadcast" => BroadcastAsync,
        _ => null,
    };

    private static async Task CountLinesAsync(IOStream stream)
    {
        long count = 0;
        Func<ReadOnlySpan<byte>, int> parse = static line => line.Length;
        try
        {
            while (true)
            {
                await stream.ReadUntilAsync("\n"u8, parse);
                count++;
            }
        }
        catch (StreamClosedException)
        {
            await AnswerAsync(stream, count);
        }
    }

    private static async Task AnswerLengthAsync(IOStream stream)
    {
        while (true) await AnswerAsync(stream, await stream.ReadUntilAsync("\n"u8, static message => message.Length));
    }

    private static async Task AnswerExactLengthAsync(IOStream stream, int size)
    {
        while (true) await AnswerAsync(stream, await stream.ReadBytesAsync(size, static message => message.Length));
    }

    private static async Task AnswerRegexLengthAsync(IOStream stream)
    {
        while (true) await AnswerAsync(stream, (await stream.ReadUntilRegexAsync(EndOfLine())).Length);
    }

    private static async Task AnswerAsync(IOStream stream, long number)
    {
        await stream.WriteAsync(Answers.Number(number));
        await stream.FlushAsync();
    }

    [GeneratedRegex("\r?\n", RegexOptions.CultureInvariant)]
    private static partial Regex EndOfLine();

    private async Task BroadcastAsync(IOStream stream)
    {
        _all.Add(stream);
        try
        {
            while (true)
            {
                byte[] line = await stream.ReadUntilAsync("\n"u8);
                foreach (IOStream other in _all) _ = other.WriteAsync(line);
            }
        }
        finally
        {
            _all.Remove(stream);
        }
    }
}
