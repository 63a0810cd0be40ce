using System.Buffers.Binary;
using Waterspout;

namespace SerialDevice;

/// <summary>The other end, for a machine without the device: a line with noise, and a device that misses questions.</summary>
internal sealed class NoisyDevice(BaseIOStream stream)
{
    private readonly FrameLink _link = new(stream);

    internal async Task RunAsync()
    {
        byte[] answer = new byte[3];
        for (int asked = 1; ; asked++)
        {
            byte[] question;
            try
            {
                question = await _link.ReceiveAsync(CancellationToken.None);
            }
            catch (StreamClosedException)
            {
                return;
            }

            if (asked % 3 == 0) continue;
            if (asked % 4 == 0) await stream.WriteAsync("noise ~ with a flag in it, and more than fits "u8.ToArray().AsMemory());
            answer[0] = question[0];
            BinaryPrimitives.WriteInt16BigEndian(answer.AsSpan(1), (short)(2000 + (asked * 0x7E)));
            await _link.SendAsync(answer);
        }
    }
}
