using System.Net.Sockets;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Waterspout.Interop.Tests;

/// <summary>Handles to and from another program: Python's own calls for them.</summary>
public sealed class HandlePeerTests
{
    // Each line of the output is a receive: its bytes, and what the files that came with them hold.
    private const string Receiver = """
        import os, socket, sys
        s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
        while True:
            data, fds, flags, _ = socket.recv_fds(s, 100, 300)
            if not data: break
            print(data.decode(), [os.pread(fd, 9, 0).decode() for fd in fds], flags & socket.MSG_CTRUNC, flush=True)
            for fd in fds: os.close(fd)
        """;

    private const string Sender = """
        import os, socket, sys
        s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
        r, w = os.pipe()
        os.write(w, b"from the peer"); os.close(w)
        null = os.open("/dev/null", os.O_RDWR)
        socket.send_fds(s, [b"one "], [r])
        s.send(b"none ")
        socket.send_fds(s, [b"many\n"], [null] * 253)
        print(s.recv(100).decode(), flush=True)
        """;

    [Fact]
    public void Another_program_receives_each_handle_with_its_byte() => TestLoop.Run(async () =>
    {
        string[] files = [.. Enumerable.Range(0, 3).Select(static i => Write($"file {i}"))];
        (string output, _) = await TalkAsync(Receiver, async stream =>
        {
            UnixIOStream unix = new(stream);
            SafeFileHandle[] handles = [.. files.Select(static file => File.OpenHandle(file))];
            unix.Write("a"u8);
            await unix.WriteAsync("bc"u8.ToArray(), [handles[0], handles[1]]);
            unix.Write("d"u8);
            await unix.WriteAsync("e"u8.ToArray(), [handles[2]]);
            foreach (SafeFileHandle handle in handles) handle.Dispose();
        });
        foreach (string file in files) File.Delete(file);
        // How many receives bytes without handles take is the kernel's choice. The handles come with the receive that has their first byte.
        const string First = @"\['file 0', 'file 1'\] 0\n", Second = @"\['file 2'\] 0\n";
        Assert.Matches(@$"^(a \[\] 0\n|a)bc(d {First}| {First}(d \[\] 0\n|d))e {Second}$", output);
    });

    [Fact]
    public void Handles_of_another_program_are_received_and_its_process_is_known() => TestLoop.Run(async () =>
    {
        int process = 0;
        (string output, int id) = await TalkAsync(Sender, async stream =>
        {
            process = stream.GetPeerCredentials().ProcessId;
            UnixIOStream unix = new(stream) { MaxReceivedHandles = 254 };
            Assert.Equal("one none many", await unix.ReadLineAsync());
            Assert.Equal(254, unix.ReceivedHandleCount);
            Assert.True(unix.TryTakeHandle(out SafeFileHandle? pipe));
            await using PipeIOStream reader = new(pipe);
            byte[] said = await reader.ReadUntilCloseAsync();
            while (unix.TryTakeHandle(out SafeFileHandle? handle)) handle.Dispose();
            await unix.WriteAsync(said);
        });
        Assert.Equal("from the peer\n", output);
        Assert.Equal(id, process);
    });

    private static string Write(string content)
    {
        string path = Path.GetTempFileName();
        File.WriteAllText(path, content);
        return path;
    }

    private static async Task<(string Output, int Id)> TalkAsync(string script, Func<IOStream, Task> handler)
    {
        string python = Tool.Require("python3");
        TaskCompletionSource handled = new();
        await using TcpServer server = new(async stream =>
        {
            try
            {
                await handler(stream);
                handled.SetResult();
            }
            catch (Exception error)
            {
                handled.SetException(error);
            }
        });
        string path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}");
        server.Listen(new UnixDomainSocketEndPoint(path));
        using Child peer = Child.Start(python, "-c", script, path);
        await handled.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Child.Outcome outcome = await peer.FinishAsync([]);
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Errors));
        return (Encoding.ASCII.GetString(outcome.Output), peer.Id);
    }
}
