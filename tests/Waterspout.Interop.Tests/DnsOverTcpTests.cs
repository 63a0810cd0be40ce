using System.Text;

namespace Waterspout.Interop.Tests;

/// <summary>The DnsOverTcp sample: a binary protocol whose answers come in any order.</summary>
public sealed class DnsOverTcpTests
{
    // Takes both questions before it answers, the last one first, and ends its names with a pointer.
    private const string Server = """
        import socket, struct
        s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); print(s.getsockname()[1], flush=True)
        c, _ = s.accept(); f = c.makefile('rb')
        asked = [f.read(struct.unpack('>H', f.read(2))[0]) for _ in range(2)]
        for q in reversed(asked):
            kind = struct.unpack('>H', q[-4:-2])[0]
            data = bytes([192, 0, 2, 7]) if kind == 1 else bytes(15) + b'\7'
            alias = b'\xc0\x0c' + struct.pack('>HHIH', 5, 1, 60, 4) + b'\1x\xc0\x0c'
            a = q[:2] + struct.pack('>HHHHH', 0x8180, 1, 2, 0, 0) + q[12:] + alias + b'\xc0\x0c' + struct.pack('>HHIH', kind, 1, 60, len(data)) + data
            c.sendall(struct.pack('>H', len(a)) + a)
        f.read()
        """;

    [Fact]
    public async Task Resolves_from_its_own_server()
    {
        Child.Outcome outcome = await Child.RunAsync(Repository.Sample("DnsOverTcp"));
        Assert.Equal("", outcome.Errors);
        Assert.Equal(
            "one.test: 192.0.2.1\ntwo.test: 192.0.2.2, 192.0.2.3, 2001:db8::2\nthree.test: no address\n", Encoding.ASCII.GetString(outcome.Output));
        Assert.Equal(0, outcome.ExitCode);
    }

    [Fact]
    public async Task Matches_answers_that_come_in_another_order()
    {
        using Child server = Child.Start(Tool.Require("python3"), "-c", Server);
        string port = (await server.ReadLineAsync())!;
        Child.Outcome outcome = await Child.RunAsync(Repository.Sample("DnsOverTcp"), "--server", "127.0.0.1", "--port", port, "seven.test");
        Assert.Equal("", outcome.Errors);
        Assert.Equal("seven.test: 192.0.2.7, ::7\n", Encoding.ASCII.GetString(outcome.Output));
    }
}
