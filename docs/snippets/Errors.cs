using Waterspout;

namespace Snippets;

internal static class Errors
{
    internal static async Task ServeAsync(IOStream stream, CancellationToken stopping)
    {
        try
        {
            while (true) await AnswerAsync(stream, await stream.ReadUntilAsync("\r\n"u8, maxBytes: 4096, stopping));
        }
        catch (OperationCanceledException)
        {
            await stream.WriteAsync("421 closing\r\n"u8, CancellationToken.None); // the server stops; the stream is as it was
        }
        catch (UnsatisfiableReadException)
        {
            await stream.WriteAsync("500 line too long\r\n"u8, CancellationToken.None);
        }
        catch (StreamClosedException closed) when (closed.Reason is CloseReason.EndOfStream)
        {
            // The client has said all it wanted to. Without this clause the server would take it for the same.
        }
    }

    private static ValueTask AnswerAsync(IOStream stream, byte[] line) => stream.WriteAsync(line, CancellationToken.None);
}
