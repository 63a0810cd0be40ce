namespace Waterspout.Processes;

/// <summary>The last bytes of a stream, read to its end in constant memory.</summary>
internal static class Tail
{
    internal static Task<byte[]> ReadAsync(BaseIOStream stream, int keep) =>
        stream.Loop.InvokeAsync(() => ReadOnLoopAsync(stream, keep));

    private static async Task<byte[]> ReadOnLoopAsync(BaseIOStream stream, int keep)
    {
        byte[] ring = [];
        long total = 0;
        try
        {
            await foreach (ReadOnlyMemory<byte> chunk in stream.ReadChunksAsync())
            {
                Grow(ref ring, total + chunk.Length, keep);
                Append(ring, total, chunk.Span);
                total += chunk.Length;
            }
        }
        catch (StreamClosedException)
        {
            // Closed by its owner. A task that was not awaited must not fail for that.
        }

        return Unroll(ring, total);
    }

    // Most children write nothing, or little. A ring that has not been full has not wrapped around, so it can be copied as it is.
    private static void Grow(ref byte[] ring, long wanted, int keep)
    {
        if (ring.Length < Math.Min(wanted, keep))
            Array.Resize(ref ring, (int)Math.Min(Math.Max(wanted, 2L * ring.Length), Math.Min(keep, Array.MaxLength)));
    }

    private static void Append(byte[] ring, long total, ReadOnlySpan<byte> chunk)
    {
        if (ring.Length == 0) return;
        if (chunk.Length > ring.Length)
        {
            total += chunk.Length - ring.Length;
            chunk = chunk[^ring.Length..];
        }

        int at = (int)(total % ring.Length);
        int first = Math.Min(chunk.Length, ring.Length - at);
        chunk[..first].CopyTo(ring.AsSpan(at));
        chunk[first..].CopyTo(ring);
    }

    private static byte[] Unroll(byte[] ring, long total)
    {
        if (total <= ring.Length) return ring[..(int)total];
        if (ring.Length == 0) return [];
        int at = (int)(total % ring.Length);
        return [.. ring.AsSpan(at), .. ring.AsSpan(0, at)];
    }
}
