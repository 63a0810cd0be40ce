using System.Buffers;
using System.IO.Pipelines;

namespace Waterspout.Bench.Peers;

/// <summary>The protocols on pipes, for PipeReader over a stream and for Kestrel.</summary>
internal static class PipeProtocols
{
    private static readonly List<PipeWriter> s_all = [];

    internal static Func<IDuplexPipe, Task>? Get(ServerOptions options) => options.Mode switch
    {
        "echo" => EchoAsync,
        "sink-lines" => CountLinesAsync,
        "sink-bulk" => CountBytesAsync,
        "source-bulk" => pipe => SendBytesAsync(pipe, options.MakePattern()),
        "message" => AnswerLengthAsync,
        "exact" => pipe => AnswerExactLengthAsync(pipe, options.Size),
        "broadcast" => BroadcastAsync,
        _ => null,
    };

    private static async Task EchoAsync(IDuplexPipe pipe)
    {
        while (true)
        {
            ReadResult result = await pipe.Input.ReadAsync();
            SequencePosition consumed = CopyLines(result.Buffer, pipe.Output, out bool hasLines);
            pipe.Input.AdvanceTo(consumed, result.Buffer.End);
            if (hasLines) await pipe.Output.FlushAsync();
            if (result.IsCompleted) return;
        }
    }

    private static SequencePosition CopyLines(ReadOnlySequence<byte> buffer, PipeWriter output, out bool hasLines)
    {
        SequenceReader<byte> reader = new(buffer);
        hasLines = false;
        while (reader.TryReadTo(out ReadOnlySpan<byte> line, (byte)'\n'))
        {
            Span<byte> space = output.GetSpan(line.Length + 1);
            line.CopyTo(space);
            space[line.Length] = (byte)'\n';
            output.Advance(line.Length + 1);
            hasLines = true;
        }

        return reader.Position;
    }

    private static async Task CountLinesAsync(IDuplexPipe pipe)
    {
        long lines = 0;
        while (true)
        {
            ReadResult result = await pipe.Input.ReadAsync();
            pipe.Input.AdvanceTo(CountLines(result.Buffer, ref lines), result.Buffer.End);
            if (result.IsCompleted) break;
        }

        await pipe.Output.WriteAsync(Answers.Number(lines));
    }

    private static SequencePosition CountLines(ReadOnlySequence<byte> buffer, ref long lines)
    {
        SequenceReader<byte> reader = new(buffer);
        while (reader.TryReadTo(out ReadOnlySpan<byte> _, (byte)'\n')) lines++;
        return reader.Position;
    }

    private static async Task CountBytesAsync(IDuplexPipe pipe)
    {
        long bytes = 0;
        while (true)
        {
            ReadResult result = await pipe.Input.ReadAsync();
            bytes += result.Buffer.Length;
            pipe.Input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted) break;
        }

        await pipe.Output.WriteAsync(Answers.Number(bytes));
    }

    private static async Task SendBytesAsync(IDuplexPipe pipe, byte[] pattern)
    {
        ReadResult result = await pipe.Input.ReadAsync();
        long left = Answers.Parse(result.Buffer.ToArray());
        pipe.Input.AdvanceTo(result.Buffer.End);
        for (; left > 0; left -= pattern.Length) await pipe.Output.WriteAsync(pattern.AsMemory(0, (int)Math.Min(left, pattern.Length)));
    }

    // The search resumes where it stopped; from the start each time would be quadratic.
    private static async Task AnswerLengthAsync(IDuplexPipe pipe)
    {
        long searched = 0;
        while (true)
        {
            ReadResult result = await pipe.Input.ReadAsync();
            if (result.Buffer.Slice(searched).PositionOf((byte)'\n') is { } end)
            {
                SequencePosition next = result.Buffer.GetPosition(1, end);
                long length = result.Buffer.Slice(0, next).Length;
                pipe.Input.AdvanceTo(next);
                searched = 0;
                await pipe.Output.WriteAsync(Answers.Number(length));
                continue;
            }

            searched = result.Buffer.Length;
            pipe.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            if (result.IsCompleted) return;
        }
    }

    private static async Task AnswerExactLengthAsync(IDuplexPipe pipe, int size)
    {
        while (true)
        {
            ReadResult result = await pipe.Input.ReadAtLeastAsync(size);
            if (result.Buffer.Length < size) return;
            pipe.Input.AdvanceTo(result.Buffer.GetPosition(size));
            await pipe.Output.WriteAsync(Answers.Number(size));
        }
    }

    private static async Task BroadcastAsync(IDuplexPipe pipe)
    {
        lock (s_all) s_all.Add(pipe.Output);
        try
        {
            while (true)
            {
                ReadResult result = await pipe.Input.ReadAsync();
                await SendToAllAsync(result.Buffer);
                pipe.Input.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted) break;
            }
        }
        finally
        {
            lock (s_all) s_all.Remove(pipe.Output);
        }
    }

    private static async ValueTask SendToAllAsync(ReadOnlySequence<byte> data)
    {
        if (data.IsEmpty) return;
        PipeWriter[] all;
        lock (s_all) all = [.. s_all];
        foreach (PipeWriter other in all)
        {
            try
            {
                foreach (ReadOnlyMemory<byte> piece in data) await other.WriteAsync(piece);
            }
            catch (Exception error) when (error is IOException or InvalidOperationException or ObjectDisposedException)
            {
                // That connection has closed, which its own handler notices.
            }
        }
    }
}
