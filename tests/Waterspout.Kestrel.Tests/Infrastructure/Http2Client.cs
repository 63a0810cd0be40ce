using System.Buffers.Binary;
using System.Net.Sockets;

namespace Waterspout.Kestrel.Tests;

internal enum FrameType : byte
{
    Data,
    Headers,
    Priority,
    Reset,
    Settings,
    Push,
    Ping,
    GoAway,
    WindowUpdate,
}

internal sealed record Frame(FrameType Type, byte Flags, int Stream, byte[] Payload);

/// <summary>A client of HTTP/2 that decides about each frame.</summary>
internal sealed class Http2Client : IDisposable
{
    private readonly NetworkStream _stream;

    private Http2Client(NetworkStream stream) => _stream = stream;

    internal static async Task<Http2Client> ConnectAsync(TestServer server)
    {
        RawClient client = await server.ConnectAsync();
        Http2Client http = new(new NetworkStream(client.Socket, ownsSocket: true));
        await http._stream.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray());
        await http.SendAsync(FrameType.Settings, 0, 0, []);
        await http.ReadUntilAsync(static frame => frame.Type == FrameType.Settings && frame.Flags == 0);
        await http.SendAsync(FrameType.Settings, 1, 0, []);
        return http;
    }

    /// <summary>Asks for "/", with entries of HPACK's static table, and the host "a".</summary>
    internal Task GetAsync(int stream) => SendAsync(FrameType.Headers, 5, stream, [0x82, 0x86, 0x84, 0x41, 1, (byte)'a']);

    internal async Task SendAsync(FrameType type, byte flags, int stream, byte[] payload)
    {
        byte[] frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8);
        frame[3] = (byte)type;
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame, 9);
        await _stream.WriteAsync(frame);
    }

    /// <summary>Null at the end. A reset is an exception.</summary>
    internal async Task<Frame?> ReadAsync()
    {
        byte[] head = new byte[9];
        if (await _stream.ReadAtLeastAsync(head, 9, throwOnEndOfStream: false).AsTask().InTime() == 0) return null;
        byte[] payload = new byte[BinaryPrimitives.ReadInt32BigEndian(head) >>> 8];
        await _stream.ReadExactlyAsync(payload).AsTask().InTime();
        return new Frame((FrameType)head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)), payload);
    }

    internal async Task<List<Frame>> ReadUntilAsync(Func<Frame, bool> isLast)
    {
        List<Frame> frames = [];
        do frames.Add(await ReadAsync() ?? throw new EndOfStreamException());
        while (!isLast(frames[^1]));
        return frames;
    }

    public void Dispose() => _stream.Dispose();
}
