using Waterspout;

/// <summary>Everybody who is connected.</summary>
/// <remarks>All of it runs on one loop, so there is nothing to lock.</remarks>
internal sealed class ChatRoom(int longestLine)
{
    private readonly HashSet<IOStream> _clients = [];

    /// <summary>What may wait for a client that does not read. It is never waited for: past this, the client is the one who pays.</summary>
    internal static IOStreamOptions StreamOptions { get; } = new() { MaxWriteBufferSize = 256 * 1024 };

    internal async Task ServeAsync(IOStream client)
    {
        _clients.Add(client);
        try
        {
            while (true)
            {
                byte[] line = await client.ReadUntilAsync("\n"u8, longestLine);
                // Closing one changes nothing here: its handler is told by the loop, later.
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
            // It has just gone, and its handler is about to find out.
        }
    }
}
