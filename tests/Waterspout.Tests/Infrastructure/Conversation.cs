using System.Buffers.Binary;
using System.Net.Sockets;
using System.Numerics;
using Waterspout.Testing;

namespace Waterspout.Tests;

/// <summary>
/// Frames from left to right, in pieces of any size, by reads of any kind that are sometimes cancelled; complete, or cut off.
/// </summary>
internal sealed class Conversation(Random random, Action frameArrived)
{
    private const int HeaderSize = 12; // number, length and checksum
    private const int LongestFrame = 30_000;

    private readonly int _frames = random.Next(1, 60);

    // After this number of frames one of the sides stops. Most never do.
    private readonly int _cutAt = random.Next(3) == 0 ? random.Next(60) : int.MaxValue;
    private readonly Action<BaseIOStream> _giveUp = random.Next(3) switch
    {
        0 => static stream => stream.Close(),
        1 => Reset,
        _ => Fail,
    };

    /// <summary>Runs the conversation, and closes both sides. True if everything arrived.</summary>
    internal async Task<bool> RunAsync(Transport transport)
    {
        (BaseIOStream left, BaseIOStream right) = await transport.ConnectAsync(MakeOptions());
        bool isSender = random.Next(2) == 0;
        Task<bool> sending = SendAsync(left, new Random(random.Next()), isSender ? _cutAt : int.MaxValue);
        int arrived = await ReceiveAsync(right, new Random(random.Next()), isSender ? int.MaxValue : _cutAt);
        right.Close();
        bool isSent = await sending;
        left.Close();
        if (isSent && arrived < _frames) Assert.True(_cutAt < _frames, $"Only {arrived} of {_frames} frames arrived, and nobody had given up.");
        return arrived == _frames;
    }

    private IOStreamOptions MakeOptions() => new()
    {
        ReadChunkSize = random.Next(2) == 0 ? random.Next(1, 3000) : 65_536,
        WriteHighWaterMark = random.Next(3) * 10_000,
    };

    private async Task<bool> SendAsync(BaseIOStream stream, Random own, int cutAt)
    {
        try
        {
            for (int number = 0; number < _frames; number++)
            {
                Disturb(stream, own);
                if (number == cutAt) _giveUp(stream);
                await SendFrameAsync(stream, number, own);
            }

            await stream.CloseAsync();
            return stream.Error is null;
        }
        catch (StreamClosedException) when (_cutAt < _frames)
        {
            return false;
        }
    }

    private static async Task SendFrameAsync(BaseIOStream stream, int number, Random own)
    {
        byte[] frame = new byte[HeaderSize + own.Next(own.Next(4) == 0 ? LongestFrame : 200)];
        own.NextBytes(frame);
        BinaryPrimitives.WriteInt32LittleEndian(frame, number);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(4), frame.Length - HeaderSize);
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(8), Checksum(frame.AsSpan(HeaderSize)));
        for (int at = 0, count; at < frame.Length; at += count)
        {
            count = own.Next(1, frame.Length - at + 1);
            if (own.Next(2) == 0) await stream.WriteAsync(frame.AsMemory(at, count));
            else stream.Write(frame.AsSpan(at, count));
            if (own.Next(4) == 0) await stream.FlushAsync();
        }
    }

    private async Task<int> ReceiveAsync(BaseIOStream stream, Random own, int cutAt)
    {
        for (int number = 0; ; number++)
        {
            try
            {
                Disturb(stream, own);
                if (number == cutAt) _giveUp(stream);
                byte[] header = await ReadAsync(stream, HeaderSize, own);
                Assert.Equal(number, BinaryPrimitives.ReadInt32LittleEndian(header));
                byte[] body = await ReadAsync(stream, BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(4)), own);
                Assert.Equal(BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(8)), Checksum(body));
                frameArrived();
            }
            catch (StreamClosedException)
            {
                return number;
            }
        }
    }

    // A read may be cancelled at any moment; it is then repeated, as another kind, and continues where it was.
    private static async Task<byte[]> ReadAsync(BaseIOStream stream, int count, Random own)
    {
        while (true)
        {
            using CancellationTokenSource cancellation = new();
            byte[] target = new byte[count];
            Task<byte[]> read = own.Next(3) switch
            {
                0 => stream.ReadBytesAsync(count, cancellationToken: cancellation.Token).AsTask(),
                1 => stream.ReadBytesAsync(count, static data => data.ToArray(), cancellation.Token).AsTask(),
                _ => ReadIntoAsync(),
            };
            if (own.Next(4) == 0) cancellation.CancelAfter(TimeSpan.FromMicroseconds(own.Next(2000)));
            try
            {
                return await read;
            }
            catch (OperationCanceledException)
            {
            }

            async Task<byte[]> ReadIntoAsync()
            {
                await stream.ReadIntoAsync(target, cancellationToken: cancellation.Token);
                return target;
            }
        }
    }

    private static uint Checksum(ReadOnlySpan<byte> data)
    {
        uint sum = uint.MaxValue;
        foreach (byte value in data) sum = BitOperations.Crc32C(sum, value);
        return sum;
    }

    private static void Disturb(BaseIOStream stream, Random own)
    {
        if (stream is not FaultyIOStream faulty) return;
        foreach (FaultScript script in (FaultScript[])[faulty.Receives, faulty.Sends])
        {
            script.BytesPerCall = own.Next(3) == 0 ? null : own.Next(1, 5000);
            script.Block(own.Next(4));
        }
    }

    private static void Reset(BaseIOStream stream)
    {
        if (stream is IOStream { Socket.AddressFamily: not AddressFamily.Unix, IsClosed: false } socket) socket.Socket.LingerState = new LingerOption(true, 0);
        stream.Close();
    }

    // In the middle of a later operation, if a script can do that.
    private static void Fail(BaseIOStream stream)
    {
        if (stream is not FaultyIOStream faulty)
        {
            stream.Close();
            return;
        }

        faulty.Receives.FailAt(faulty.Receives.Calls + 2, new SocketException((int)SocketError.ConnectionReset));
        faulty.Sends.CutAfter(faulty.Sends.Bytes + 1000);
    }
}
