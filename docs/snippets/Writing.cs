using System.Buffers.Binary;
using Waterspout;

namespace Snippets;

internal static class Writing
{
    internal static async Task Write(IOStream stream, byte[] large)
    {
        await stream.WriteAsync("a header\n"u8); // a span is copied
        await stream.WriteAsync(large);          // an array or memory of 8 KiB or more is not: leave it unchanged until the write completes
        await stream.WriteLineAsync("a line");   // UTF-8, and LF; CR LF with IOStreamOptions.NewLine
    }

    internal static async Task Reserve(IOStream stream, byte[] message)
    {
        BinaryPrimitives.WriteInt32BigEndian(stream.GetSpan(4), message.Length);
        stream.Advance(4);
        await stream.WriteAsync(message);
    }

    internal static async Task Relay(IOStream source, IOStream target)
    {
        await foreach (ReadOnlyMemory<byte> piece in source.ReadChunksAsync())
            await target.WriteAsync(piece.Span); // while this waits, nothing is read from the source, whose peer is held back in turn
    }

    internal static IOStreamOptions Limits()
    {
        IOStreamOptions options = new()
        {
            WriteTimeout = TimeSpan.FromSeconds(30),                            // without any progress: the stream closes
            MinimumWriteRate = new MinimumRate(1000, TimeSpan.FromSeconds(10)), // bytes a second, and how far a peer may fall behind
            MaxWriteBufferSize = 1024 * 1024,                                   // what writes that are not awaited can pile up
        };
        return options;
    }

    internal static void Broadcast(IEnumerable<IOStream> readers, byte[] update)
    {
        foreach (IOStream reader in readers)
        {
            try
            {
                reader.Write(update); // copied, and not awaited
            }
            catch (StreamBufferFullException full)
            {
                reader.Close(full); // or leave this update out, for a feed whose next one replaces it
            }
            catch (StreamClosedException)
            {
                // It has closed by itself, and its handler is about to be notified.
            }
        }
    }

    internal static async Task WriteBoth(IOStream stream, byte[] head, byte[] body)
    {
        await stream.Loop.SwitchTo();
        stream.Write(head);
        await stream.WriteAsync(body); // nothing comes between the two: the turn has not ended
    }
}
