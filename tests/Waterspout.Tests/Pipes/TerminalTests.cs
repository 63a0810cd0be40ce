using System.Text;
using Waterspout.Interop;

namespace Waterspout.Tests;

/// <summary>Terminals and serial lines, whose reads end in more ways than those of pipes.</summary>
[OnEachPoller]
public sealed class TerminalTests : LoopTest
{
    [Fact]
    public void A_serial_line_that_gives_zero_where_there_is_nothing_has_not_ended() => Run(async () =>
    {
        (Descriptor master, Descriptor terminal) = Open();
        Terminals.SetToPolling(terminal);
        using PipeIOStream port = new(terminal.Number);
        KernelPeer.Write(master, "one\n");
        Assert.Equal("one\n", await ReadLineAsync(port));
        for (int i = 0; i < 3; i++)
        {
            Task<string> next = ReadLineAsync(port);
            await Turns(3);
            Assert.False(next.IsCompleted);
            KernelPeer.Write(master, "tw", "o\n");
            Assert.Equal("two\n", await next);
        }

        Task<byte[]> rest = port.ReadUntilCloseAsync().AsTask();
        FileDescriptors.Close(master);
        Assert.Empty(await rest.WaitAsync(Limit));
        Assert.Equal(CloseReason.EndOfStream, port.CloseReason);
    });

    [Fact]
    public void A_typed_end_of_file_is_the_end() => Run(async () =>
    {
        (Descriptor master, Descriptor terminal) = Open();
        using PipeIOStream input = new(terminal.Number);
        KernelPeer.Write(master, "line\n\u0004");
        Assert.Equal("line\n", Encoding.ASCII.GetString(await input.ReadUntilCloseAsync().AsTask().WaitAsync(Limit)));
        FileDescriptors.Close(master);
    });

    private static (Descriptor Master, Descriptor Terminal) Open()
    {
        Descriptor master = FileDescriptors.Open("/dev/ptmx", LibC.O_RDWR | LibC.O_NOCTTY);
        return (master, FileDescriptors.Open(Terminals.Unlock(master), LibC.O_RDWR | LibC.O_NOCTTY));
    }

    private static async Task<string> ReadLineAsync(PipeIOStream port) => Encoding.ASCII.GetString(await port.ReadUntilAsync("\n"u8).AsTask().WaitAsync(Limit));
}
