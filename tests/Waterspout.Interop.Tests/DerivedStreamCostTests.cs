using System.IO.Pipes;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Waterspout.Testing;

namespace Waterspout.Interop.Tests;

/// <summary>The system calls of a derived stream compared with those of its base class. Counted, not timed.</summary>
[Collection(Alone.Name)] // the calls of other tests would be counted too
public sealed class DerivedStreamCostTests
{
    private const int Messages = 500;

    // The runtime may make some calls of its own meanwhile.
    private const int Others = 20;

    [Theory]
    [InlineData(typeof(EmptyStream))]
    [InlineData(typeof(CountingStream))]
    public void A_derived_stream_makes_not_one_system_call_more_a_message(Type type) => TestLoop.Run(async () =>
    {
        (Socket near, Socket far) = StreamPair.CreateTcpSockets();
        using IOStream stream = type == typeof(EmptyStream) ? new EmptyStream(near) : new CountingStream(near);
        using IOStream peer = new(far);
        await AssertCheapAsync(stream, stream, peer, peer, "recvfrom");
    });

    [Fact]
    public void A_derived_stream_over_pipes_makes_not_one_system_call_more_a_message() => TestLoop.Run(async () =>
    {
        using AnonymousPipeServerStream pipe = new(PipeDirection.In);
        (PipeIOStream requests, PipeIOStream requestWriter) = PipeIOStream.CreatePair();
        using EmptyPipeStream answers = new(pipe.SafePipeHandle);
        using PipeIOStream answerWriter = new(pipe.ClientSafePipeHandle);
        // A pipe may stop at the end of a message, so another read follows each one.
        await AssertCheapAsync(answers, requestWriter, requests, answerWriter, "read", readsOfEach: 2);
        requests.Close();
        requestWriter.Close();
    });

    [Fact]
    public void A_stream_that_overrides_a_hook_is_read_until_it_would_block() => TestLoop.Run(async () =>
    {
        (Socket near, Socket far) = StreamPair.CreateTcpSockets();
        using CountingStream stream = new(near) { PassesOn = false };
        using IOStream peer = new(far);
        SystemCalls calls = await PlayAsync(stream, stream, peer, peer);
        Assert.InRange(calls.Of("recvfrom"), 3 * Messages, (3 * Messages) + Others);
        Assert.InRange(calls.Of("epoll_ctl"), Messages, Messages + Others);
    });

    private static async Task AssertCheapAsync(BaseIOStream reader, BaseIOStream writer, BaseIOStream peerReader, BaseIOStream peerWriter, string call, int readsOfEach = 1)
    {
        SystemCalls calls = await PlayAsync(reader, writer, peerReader, peerWriter);
        int least = 2 * readsOfEach * Messages;
        Assert.True(calls.Of(call) >= least && calls.Of(call) <= least + Others, $"receives of {Messages} messages: {calls}");
        Assert.True(calls.Of("epoll_ctl") <= Others, $"changes of the registration: {calls}");
    }

    /// <summary>Sends messages back and forth, and counts the calls of this process.</summary>
    private static async Task<SystemCalls> PlayAsync(BaseIOStream reader, BaseIOStream writer, BaseIOStream peerReader, BaseIOStream peerWriter)
    {
        await EchoAsync(50);
        using SystemCalls calls = await SystemCalls.AttachAsync(Environment.ProcessId);
        await EchoAsync(Messages);
        await calls.DetachAsync();
        return calls;

        async Task EchoAsync(int messages)
        {
            for (int i = 0; i < messages; i++)
            {
                ValueTask<byte[]> answer = reader.ReadUntilAsync("\n"u8);
                ValueTask<byte[]> request = peerReader.ReadUntilAsync("\n"u8);
                await writer.WriteAsync("line\n"u8);
                await peerWriter.WriteAsync(await request);
                Assert.Equal("line\n"u8.ToArray(), await answer);
            }
        }
    }

    private sealed class EmptyStream(Socket socket) : IOStream(socket);

    private sealed class EmptyPipeStream(SafeHandle handle) : PipeIOStream(handle);

    private sealed class CountingStream(Socket socket) : IOStream(socket)
    {
        internal bool PassesOn { get; init; } = true;

        internal int Reads { get; private set; }

        protected override DescriptorTraits Traits => PassesOn ? KernelTraits : base.Traits;

        protected override int? ReadFromFd(Span<byte> buffer)
        {
            Reads++;
            return base.ReadFromFd(buffer);
        }
    }
}
