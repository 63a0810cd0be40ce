using System.Diagnostics;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Waterspout.Interop;

namespace Waterspout.Tests;

/// <summary>The standard input and output of children, a FIFO and a terminal.</summary>
[OnEachPoller]
public sealed class ChildProcessTests : LoopTest
{
    [Fact]
    public void A_child_gets_what_is_written_and_its_output_is_read() => Run(async () =>
    {
        using Process cat = Start("cat");
        (PipeIOStream input, PipeIOStream output) = (Stream(cat.StandardInput.BaseStream), Stream(cat.StandardOutput.BaseStream));
        byte[] data = new byte[300_000];
        new Random(1).NextBytes(data);
        Task write = SendAsync(input, data);
        Assert.True((await output.ReadUntilCloseAsync()).AsSpan().SequenceEqual(data));
        await write;
        await cat.WaitForExitAsync();
        Assert.Equal(0, cat.ExitCode);
    });

    [Fact]
    public void Lines_of_a_child_are_read_as_they_come() => Run(async () =>
    {
        using Process shell = Start("sh", "-c", "while read line; do echo \"got $line\"; done");
        (PipeIOStream input, PipeIOStream output) = (Stream(shell.StandardInput.BaseStream), Stream(shell.StandardOutput.BaseStream));
        foreach (string word in (string[])["one", "two", "three"])
        {
            await input.WriteAsync(Encoding.ASCII.GetBytes(word + "\n"));
            Assert.Equal($"got {word}\n", Encoding.ASCII.GetString(await output.ReadUntilAsync("\n"u8)));
        }

        await input.CloseAsync();
        Assert.Empty(await output.ReadUntilCloseAsync());
        await shell.WaitForExitAsync();
    });

    [Fact]
    public void A_child_that_ends_without_reading_its_input_is_a_reset() => Run(async () =>
    {
        using Process none = Start("true");
        (PipeIOStream input, PipeIOStream output) = (Stream(none.StandardInput.BaseStream), Stream(none.StandardOutput.BaseStream));
        await Assert.ThrowsAsync<StreamClosedException>(async () => await input.WriteAsync(new byte[1024 * 1024]));
        Assert.Equal(CloseReason.Reset, input.CloseReason);
        Assert.Empty(await output.ReadUntilCloseAsync());
        await none.WaitForExitAsync();
    });

    [Fact]
    public void A_fifo_is_opened_read_and_ended() => Run(async () =>
    {
        string path = await MakeFifoAsync();
        Assert.Throws<IOException>(() => PipeIOStream.Open(path, FileAccess.Write));
        PipeIOStream both = PipeIOStream.Open(path, FileAccess.ReadWrite);
        PipeIOStream writer = PipeIOStream.Open(path, FileAccess.Write);
        await writer.WriteAsync("through the file system\n"u8);
        Assert.Equal("through the file system\n", Encoding.ASCII.GetString(await both.ReadUntilAsync("\n"u8)));
        PipeIOStream reader = PipeIOStream.Open(path, FileAccess.Read);
        both.Close();
        await writer.WriteAsync("rest"u8);
        await writer.CloseAsync();
        Assert.Equal("rest", Encoding.ASCII.GetString(await reader.ReadUntilCloseAsync()));
        File.Delete(path);
    });

    [Fact]
    public void Opening_what_is_not_there_fails() => Run(() =>
    {
        Assert.Throws<IOException>(() => PipeIOStream.Open("/nowhere/at/all", FileAccess.Read));
        Assert.Throws<ArgumentException>(() => PipeIOStream.Open("", FileAccess.Read));
        Assert.Throws<ArgumentOutOfRangeException>(() => PipeIOStream.Open("/dev/tty", 0));
        return Task.CompletedTask;
    });

    [Fact]
    public void A_terminal_gives_its_lines_and_its_end() => Run(async () =>
    {
        Descriptor master = FileDescriptors.Open("/dev/ptmx", LibC.O_RDWR | LibC.O_NOCTTY | LibC.O_NONBLOCK);
        PipeIOStream keyboard = new(master.Number);
        PipeIOStream terminal = PipeIOStream.Open(Terminals.Unlock(master), FileAccess.ReadWrite);
        await keyboard.WriteAsync("one\ntwo\nthree\n"u8);
        foreach (string line in (string[])["one\n", "two\n", "three\n"])
            Assert.Equal(line, Encoding.ASCII.GetString(await terminal.ReadUntilAsync("\n"u8)));
        await terminal.WriteAsync("shown"u8);
        string screen = Encoding.ASCII.GetString(await keyboard.ReadUntilAsync("shown"u8));
        Assert.Equal("one\r\ntwo\r\nthree\r\nshown", screen);
        await Assert.ThrowsAsync<NotSupportedException>(async () => await terminal.CompleteWritesAsync());
        terminal.Close();
        Assert.Empty(await keyboard.ReadUntilCloseAsync());
        Assert.Equal(CloseReason.EndOfStream, keyboard.CloseReason);
    });

    private static async Task SendAsync(PipeIOStream input, byte[] data)
    {
        await input.WriteAsync(data.AsMemory());
        await input.CloseAsync();
    }

    private static Process Start(string file, params string[] arguments) =>
        Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;

    // The streams of Process have handles of their own: ours is a duplicate, and theirs is closed.
    private static PipeIOStream Stream(Stream stream)
    {
        int fd = stream switch
        {
            FileStream file => (int)file.SafeFileHandle.DangerousGetHandle(),
            System.IO.Pipes.PipeStream pipe => (int)pipe.SafePipeHandle.DangerousGetHandle(),
            _ => throw new InvalidOperationException($"{stream.GetType()} has no descriptor."),
        };
        using (stream) return new PipeIOStream(new SafeFileHandle(Duplicates.Of(new Descriptor(fd)).Number, ownsHandle: true));
    }

    private static async Task<string> MakeFifoAsync()
    {
        string path = Path.Combine(Path.GetTempPath(), $"waterspout-{Guid.NewGuid():N}");
        using Process make = Process.Start("mkfifo", path);
        await make.WaitForExitAsync();
        Assert.Equal(0, make.ExitCode);
        return path;
    }
}
