using System.Net.Sockets;
using System.Text;
using Waterspout.Interop;
using Waterspout.Testing;

namespace Waterspout.Tests;

/// <summary>Receives that stop early although there is more: all of it is read, without another event.</summary>
[OnEachPoller]
public sealed class ShortReceiveTests : LoopTest
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_behind_urgent_data_of_TCP_is_read(bool isInline) => Run(async () =>
    {
        (Socket peer, Socket socket) = StreamPair.CreateTcpSockets();
        socket.SetRawSocketOption(1, 10 /* SO_OOBINLINE */, BitConverter.GetBytes(isInline ? 1 : 0));
        SendWithUrgent(peer, "abc", "!", "def\n");
        using IOStream stream = new(socket);
        Assert.Equal(isInline ? "abc!def\n" : "abcdef\n", await ReadLineAsync(stream));
        peer.Dispose();
    });

    [Fact]
    public void Each_urgent_byte_of_TCP_is_passed() => Run(async () =>
    {
        (Socket peer, Socket socket) = StreamPair.CreateTcpSockets();
        using IOStream stream = new(socket);
        for (int i = 0; i < 20; i++)
        {
            ValueTask<byte[]> line = stream.ReadUntilAsync("\n"u8);
            SendWithUrgent(peer, "abc", "!", "def\n");
            Assert.Equal("abcdef\n", Encoding.ASCII.GetString(await line));
        }

        peer.Dispose();
    });

    [Fact]
    public void Urgent_data_alone_is_neither_data_nor_an_end() => Run(async () =>
    {
        (Socket peer, Socket socket) = StreamPair.CreateTcpSockets();
        using IOStream stream = new(socket);
        ValueTask<byte[]> line = stream.ReadUntilAsync("\n"u8);
        peer.Send("!"u8, SocketFlags.OutOfBand);
        await Turns(3);
        Assert.False(line.IsCompleted);
        peer.Send("def\n"u8);
        Assert.Equal("def\n", Encoding.ASCII.GetString(await line));
        Assert.Equal(CloseReason.None, stream.CloseReason);
        peer.Dispose();
    });

    [Fact]
    public void What_is_behind_descriptors_on_a_Unix_socket_is_read() => Run(async () =>
    {
        (Descriptor near, Descriptor far) = Sockets.CreatePair();
        using IOStream stream = new(new Socket(near.ToSocketHandle()));
        KernelPeer.Send(far, "abc");
        KernelPeer.SendDescriptor(far, "def", far);
        KernelPeer.Send(far, "ghi\n");
        Assert.Equal("abcdefghi\n", await ReadLineAsync(stream));
        FileDescriptors.Close(far);
    });

    [Fact]
    public void What_is_behind_urgent_data_of_a_Unix_socket_is_read() => Run(async () =>
    {
        (Descriptor near, Descriptor far) = Sockets.CreatePair();
        using IOStream stream = new(new Socket(near.ToSocketHandle()));
        KernelPeer.Send(far, "abc");
        if (!KernelPeer.TrySend(far, "!", KernelPeer.MSG_OOB)) Assert.Skip("This kernel has no urgent data on Unix sockets.");
        KernelPeer.Send(far, "def\n");
        Assert.Equal("abcdef\n", await ReadLineAsync(stream));
        FileDescriptors.Close(far);
    });

    [Fact]
    public void Packets_of_a_pipe_are_read_to_the_last() => Run(async () =>
    {
        (Descriptor reader, Descriptor writer) = KernelPeer.CreatePacketPipe();
        KernelPeer.Write(writer, "abc", "def\n");
        using PipeIOStream stream = new(reader.Number);
        Assert.Equal("abcdef\n", await ReadLineAsync(stream));
        FileDescriptors.Close(writer);
    });

    [Fact]
    public void Packets_of_a_pipe_whose_writer_alone_makes_packets_are_read_to_the_last() => Run(async () =>
    {
        (Descriptor reader, Descriptor writer) = FileDescriptors.CreatePipe();
        FileDescriptors.SetStatusFlags(writer, LibC.O_DIRECT);
        KernelPeer.Write(writer, "abc", "def\n");
        using PipeIOStream stream = new(reader.Number);
        Assert.Equal("abcdef\n", await ReadLineAsync(stream));
        FileDescriptors.Close(writer);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_empty_message_is_no_end(bool hasEnded) => Run(async () =>
    {
        (Descriptor near, Descriptor far) = KernelPeer.CreateSeqPacketPair();
        KernelPeer.Send(far, "abc");
        KernelPeer.Send(far, "");
        KernelPeer.Send(far, "def\n");
        if (hasEnded) FileDescriptors.Close(far);
        using PipeIOStream stream = new(near.Number);
        Assert.Equal("abcdef\n", await ReadLineAsync(stream));
        if (!hasEnded) FileDescriptors.Close(far);
        await Assert.ThrowsAsync<StreamClosedException>(() => stream.ReadBytesAsync(1).AsTask().WaitAsync(Limit));
        Assert.Equal(CloseReason.EndOfStream, stream.CloseReason);
    });

    [Fact]
    public void Messages_of_a_socket_that_keeps_them_apart_are_read_to_the_last() => Run(async () =>
    {
        (Descriptor near, Descriptor far) = KernelPeer.CreateSeqPacketPair();
        KernelPeer.Send(far, "abc");
        KernelPeer.Send(far, "def\n");
        using PipeIOStream stream = new(near.Number);
        Assert.Equal("abcdef\n", await ReadLineAsync(stream));
        FileDescriptors.Close(far);
    });

    [Theory]
    [InlineData("packets", 4096)]
    [InlineData("messages", 60_000)]
    public void Nothing_of_a_message_is_lost_whatever_there_is_room_for(string kind, int size) => Run(async () =>
    {
        (Descriptor near, Descriptor far) = kind == "packets" ? KernelPeer.CreatePacketPipe() : KernelPeer.CreateSeqPacketPair();
        using PipeIOStream stream = new(near.Number);
        string message = string.Concat(Enumerable.Range(0, size).Select(i => (char)('a' + (i % 26))));
        foreach (int count in (int[])[1, 10, size - 11, size, 2 * size])
        {
            // Into memory of the reader's that is too small for a message, and into a buffer that already has some data.
            Memory<byte> memory = new byte[count];
            ValueTask<int> read = stream.ReadIntoAsync(memory);
            for (int i = 0; i < (count + size - 1) / size; i++) KernelPeer.Write(far, message);
            Assert.Equal(count, await read);
            int rest = (size - (count % size)) % size;
            Assert.Equal(message[(size - rest)..], Encoding.ASCII.GetString(await stream.ReadBytesAsync(rest)));
            Task<byte[]> all = stream.ReadBytesAsync(3 * size).AsTask();
            for (int i = 0; i < 3; i++)
            {
                KernelPeer.Write(far, message);
                await Turns(2);
            }

            Assert.Equal(message + message + message, Encoding.ASCII.GetString(await all));
        }

        FileDescriptors.Close(far);
    });

    [Fact]
    public void Lines_of_a_terminal_are_read_to_the_last() => Run(async () =>
    {
        Descriptor master = FileDescriptors.Open("/dev/ptmx", LibC.O_RDWR | LibC.O_NONBLOCK | LibC.O_NOCTTY);
        Descriptor terminal = FileDescriptors.Open(Terminals.Unlock(master), LibC.O_RDWR | LibC.O_NOCTTY);
        KernelPeer.Write(master, "abc\n", "def\n");
        using PipeIOStream stream = new(terminal.Number);
        Assert.Equal("abc\ndef\n", Encoding.ASCII.GetString(await stream.ReadBytesAsync(8).AsTask().WaitAsync(Limit)));
        FileDescriptors.Close(master);
    });

    private static async Task<string> ReadLineAsync(BaseIOStream stream) =>
        Encoding.ASCII.GetString(await stream.ReadUntilAsync("\n"u8).AsTask().WaitAsync(Limit));

    private static void SendWithUrgent(Socket peer, string before, string urgent, string after)
    {
        peer.Send(Encoding.ASCII.GetBytes(before));
        peer.Send(Encoding.ASCII.GetBytes(urgent), SocketFlags.OutOfBand);
        peer.Send(Encoding.ASCII.GetBytes(after));
    }
}
