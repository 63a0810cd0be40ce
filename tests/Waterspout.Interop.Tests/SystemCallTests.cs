using System.Globalization;

namespace Waterspout.Interop.Tests;

/// <summary>The system calls for a message, and the effect of a signal in the middle of one.</summary>
public sealed class SystemCallTests
{
    private const int Messages = 500;

    [Fact]
    public void A_message_costs_one_receive_and_one_send_and_no_change_of_the_registration() => TestLoop.Run(async () =>
    {
        using EchoServer server = await EchoServer.StartAsync();
        using IOStream stream = await server.ConnectAsync();
        await EchoAsync(stream, 100);
        Dictionary<string, int> calls = await TraceAsync(server, ["-c", "-U", "name,calls"], () => EchoAsync(stream, Messages));
        Assert.False(calls.ContainsKey("epoll_ctl"), "The registration was changed.");
        Assert.InRange(calls["recvfrom"], Messages, Messages + 5);
        Assert.InRange(calls["sendto"], Messages, Messages + 5);
    });

    [Theory]
    [InlineData("recvfrom")]
    [InlineData("sendto")]
    [InlineData("epoll_wait")]
    public void A_signal_in_the_middle_of_a_call_is_not_noticed(string call) => TestLoop.Run(async () =>
    {
        using EchoServer server = await EchoServer.StartAsync();
        using IOStream stream = await server.ConnectAsync();
        await EchoAsync(stream, 10);
        Dictionary<string, int> calls = await TraceAsync(server, ["-e", $"inject={call}:error=EINTR:when=1+2", "-c", "-U", "name,calls"], () => EchoAsync(stream, Messages));
        Assert.InRange(calls[call], Messages, int.MaxValue);
        // The server is not used again: a call that strace detaches from in the middle of an injection fails with ENOSYS.
    });

    [Theory]
    [InlineData("ENOBUFS")]
    [InlineData("ENOMEM")]
    public void A_send_that_the_system_had_no_memory_for_is_made_again(string error) => TestLoop.Run(async () =>
    {
        using EchoServer server = await EchoServer.StartAsync();
        using IOStream stream = await server.ConnectAsync();
        await EchoAsync(stream, 10);
        Dictionary<string, int> calls = await TraceAsync(server, ["-e", $"inject=sendto:error={error}:when=1+50", "-c", "-U", "name,calls"], () => EchoAsync(stream, Messages));
        Assert.InRange(calls["sendto"], Messages + 5, Messages + 20);
        // The server is not used again, as above.
    });

    private static async Task EchoAsync(IOStream stream, int messages)
    {
        for (int i = 0; i < messages; i++)
        {
            await stream.WriteAsync("line\n"u8);
            Assert.Equal("line\n"u8.ToArray(), await stream.ReadUntilAsync("\n"u8));
        }
    }

    /// <summary>The calls that the server makes meanwhile, by name.</summary>
    private static async Task<Dictionary<string, int>> TraceAsync(EchoServer server, string[] options, Func<Task> body)
    {
        string file = Path.GetTempFileName();
        try
        {
            using Child strace = Child.Start(Tool.Require("strace"), ["-f", "-p", $"{server.Process.Id}", "-o", file, .. options], []);
            Assert.Contains("attached", await strace.ReadErrorLineAsync());
            await body();
            await strace.SignalAsync("INT");
            await strace.WaitForExitAsync();
            return Parse(await File.ReadAllLinesAsync(file));
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static Dictionary<string, int> Parse(string[] lines) => lines
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Where(fields => fields.Length == 2 && char.IsAsciiDigit(fields[1][0]))
        .ToDictionary(fields => fields[0], fields => int.Parse(fields[1], CultureInfo.InvariantCulture));
}
