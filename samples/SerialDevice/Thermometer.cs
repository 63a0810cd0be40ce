using System.Buffers.Binary;

namespace SerialDevice;

/// <summary>A device that is asked, and answers: [number, 'T'], and [number, hundredths of a degree in two bytes].</summary>
internal sealed class Thermometer(FrameLink link)
{
    private const int Tries = 5;
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(0.2);

    private byte _number;

    /// <exception cref="TimeoutException">The device does not answer, however often it is asked.</exception>
    internal async Task<double> ReadAsync()
    {
        for (int i = 0; i < Tries; i++)
        {
            _number++;
            await link.SendAsync(_number, (byte)'T');
            if (await ReceiveAsync(_number) is { } answer) return BinaryPrimitives.ReadInt16BigEndian(answer.AsSpan(1)) / 100.0;
        }

        throw new TimeoutException("The thermometer does not answer.");
    }

    /// <summary>The answer to a question; null if it does not come in time. A late one to an earlier question is skipped.</summary>
    private async Task<byte[]?> ReceiveAsync(byte number)
    {
        using CancellationTokenSource limit = new(s_limit);
        try
        {
            while (true)
                if (await link.ReceiveAsync(limit.Token) is [var answered, _, _] answer && answered == number) return answer;
        }
        catch (OperationCanceledException)
        {
            return null; // no byte is lost: what arrives later is read with what follows
        }
    }
}
