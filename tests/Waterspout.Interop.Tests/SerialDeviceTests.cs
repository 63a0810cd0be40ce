using System.Text;

namespace Waterspout.Interop.Tests;

/// <summary>The SerialDevice sample with a terminal, whose other side is a Python program.</summary>
public sealed class SerialDeviceTests
{
    // Echo is on until the sample makes the terminal raw, and the answers have all that needs an escape, in pieces and after damage.
    private const string Device = """
        import os, pty, struct, sys
        master, slave = pty.openpty()
        print(os.ttyname(slave), flush=True)
        def crc(data):
            s = 0xFFFF
            for b in data:
                s ^= b
                for _ in range(8): s = (s >> 1) ^ (0x8408 if s & 1 else 0)
            return struct.pack('<H', s ^ 0xFFFF)
        def pack(data):
            return b'~' + b''.join(bytes([0x7D, b ^ 0x20]) if b in (0x7D, 0x7E) else bytes([b]) for b in data + crc(data)) + b'~'
        def frames():
            rest = b''
            while True:
                rest += os.read(master, 1)
                if rest.endswith(b'~'):
                    body, i, out = rest[:-1], 0, b''
                    while i < len(body):
                        if body[i] == 0x7D: i += 1; out += bytes([body[i] ^ 0x20])
                        else: out += body[i:i+1]
                        i += 1
                    rest = b''
                    if len(out) > 2:
                        assert crc(out[:-2]) == out[-2:], out
                        yield out[:-2]
        values = iter([0x7D7E, 0x0D0A, 0x0304, -0x0101])
        for number, question in enumerate(frames()):
            if number == 1: continue
            answer = pack(question[:1] + struct.pack('>h', next(values)))
            if number == 2: os.write(master, b'\x7D' * 1000 + answer[:3])
            for byte in answer: os.write(master, bytes([byte]))
        """;

    [Fact]
    public async Task Reads_the_device_that_it_plays_itself()
    {
        Child.Outcome outcome = await Child.RunAsync(Repository.Sample("SerialDevice"));
        Assert.Equal("", outcome.Errors);
        Assert.Equal(8, Encoding.ASCII.GetString(outcome.Output).Split('\n').Count(static line => line.EndsWith(" degrees", StringComparison.Ordinal)));
        Assert.Equal(0, outcome.ExitCode);
    }

    [Fact]
    public async Task Reads_a_terminal_through_escapes_losses_and_damage()
    {
        using Child device = Child.Start(Tool.Require("python3"), "-c", Device);
        string path = (await device.ReadLineAsync())!;
        Child.Outcome outcome = await Child.RunAsync(Repository.Sample("SerialDevice"), "--device", path, "--count", "4");
        Assert.Equal("", outcome.Errors);
        Assert.Equal("321.26 degrees\n33.38 degrees\n7.72 degrees\n-2.57 degrees\n", Encoding.ASCII.GetString(outcome.Output));
    }
}
