using Waterspout;

/// <summary>All connected clients.</summary>
/// <remarks>Everything runs on one loop, so there is nothing to lock.</remarks>
internal sealed class ChatRoom(int longestLine)
{
    private readonly HashSet<IOStream> _clients = [];

    /// <summary>
    /// How much may be buffered for a client that does not read. The room never waits for it: beyond this, the client is closed.
    /// </summary>
    internal static IOStreamOptions StreamOptions { get; } = new() { MaxWriteBufferSize = 256 * 1024 };

    internal async Task ServeAsync(IOStream client)
    {
        _clients.Add(client);
        try
        {
            while (true)
            {
                byte[] line = await client.ReadUntilAsync("\n"u8, longestLine);
                // Closing a client changes nothing here: the loop notifies its handler later.
                foreach (IOStream other in _clients)
                    if (other != client) Send(other, line);
            }
        }
        finally
        {
            _clients.Remove(client);
        }
    }

    private static void Send(IOStream client, byte[] line)
    {
        try
        {
            client.Write(line);
        }
        catch (StreamBufferFullException full)
        {
            client.Close(full);
        }
        catch (StreamClosedException)
        {
            // It has just closed, and its handler is about to be notified.
        }
    }
}
