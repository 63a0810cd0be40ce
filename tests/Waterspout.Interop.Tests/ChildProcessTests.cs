using System.Diagnostics;
using System.IO.Pipes;
using System.Text;

namespace Waterspout.Interop.Tests;

/// <summary>Streams over the pipes of a child process.</summary>
public sealed class ChildProcessTests
{
    [Fact]
    public async Task The_sample_talks_to_a_shell()
    {
        Child.Outcome talk = await Child.RunAsync(Repository.Sample("ChildProcess"));
        string printed = Encoding.UTF8.GetString(talk.Output);
        Assert.Contains("$ echo $((6 * 7))\n42\n", printed);
        Assert.Contains("tr a-z A-Z\nWATERSPOUT\n", printed);
        Assert.Contains("(status ", printed);
        Assert.Equal(0, talk.ExitCode);
    }

    [Fact]
    public void Both_pipes_of_a_filter_can_be_busy_at_once() => TestLoop.Run(async () =>
    {
        using Process cat = Process.Start(new ProcessStartInfo("cat") { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        await using PipeIOStream input = new(((AnonymousPipeClientStream)cat.StandardInput.BaseStream).SafePipeHandle);
        await using PipeIOStream output = new(((AnonymousPipeClientStream)cat.StandardOutput.BaseStream).SafePipeHandle);
        byte[] data = new byte[10_000_000];
        new Random(1).NextBytes(data);

        ValueTask<byte[]> reading = output.ReadUntilCloseAsync();
        await input.WriteAsync(data.AsMemory());
        await input.CompleteWritesAsync();
        Assert.True((await reading).AsSpan().SequenceEqual(data), "cat did not give back what it got.");
        await cat.WaitForExitAsync();
    });
}
