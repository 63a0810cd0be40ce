using System.Net;
using System.Text;

namespace Waterspout.Interop.Tests;

/// <summary>A server with the default options, against clients that send EOF after their last request.</summary>
public sealed class HalfCloseTests
{
    [Theory]
    [InlineData("nc", "-N 127.0.0.1 PORT")]
    [InlineData("socat", "-t60 - TCP:127.0.0.1:PORT")]
    public void Every_answer_arrives_whatever_is_awaited_before_it(string client, string arguments)
    {
        string program = Tool.Require(client);
        TestLoop.Run(async () =>
        {
            await using TcpServer server = new(async stream =>
            {
                while (true)
                {
                    byte[] line = await stream.ReadUntilAsync("\n"u8, maxBytes: 100);
                    await Task.Run(static () => SpinWait.SpinUntil(static () => false, 20)); // work that takes a while
                    await stream.WriteAsync(line);
                }
            });
            int port = ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port;
            using Child child = Child.Start(program, arguments.Replace("PORT", $"{port}").Split(' '));
            Child.Outcome answered = await child.FinishAsync("one\ntwo\nthree\n"u8.ToArray());
            Assert.Equal("one\ntwo\nthree\n", Encoding.ASCII.GetString(answered.Output));
        });
    }
}
