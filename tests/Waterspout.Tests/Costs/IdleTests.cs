using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Waterspout.Tests.Tls;

namespace Waterspout.Tests;

/// <summary>The managed memory that an idle connection holds.</summary>
/// <remarks>
/// The heap is shared, so these tests run alone. The runtime still allocates there in the meantime, 8 KB at a time, and the shared pool of
/// arrays drops what other tests returned to it, up to 64 MB at once. So the first of several attempts that is within bounds counts. Least
/// of five: 532 to 536 bytes for a stream, 734 for a server's; after all other tests of the run up to 20 more.
/// </remarks>
[Collection(nameof(Alone))]
[OnEachPoller]
public sealed class IdleTests : TlsTest
{
    // A power of two, and as many before as are counted: so the loop's tables grow by what they hold. And enough that 8 KB are 4 bytes each.
    private const int Connections = 2048;
    private const int Attempts = 5;

    private const int TlsConnections = 64;

#if DEBUG
    // The handler's async method keeps more there.
    private const int Build = 48;
#else
    private const int Build = 0;
#endif

    // The portable poller keeps a list and an index of what it watches; epoll's are in the kernel.
    private int More => Build + (Poller == PollerKind.Portable ? 110 : 0);

    [Fact]
    public void A_stream_whose_handler_waits_in_a_read_holds_half_a_kilobyte() => AssertHolds(550 + More, async () =>
    {
        List<IOStream> streams = [];
        await MakeAsync();
        double held = await HeldAsync(MakeAsync);
        foreach (IOStream stream in streams) stream.Close();
        return held;

        async Task MakeAsync()
        {
            for (int i = 0; i < Connections / 2; i++)
            {
                (IOStream left, IOStream right) = IOStream.CreatePair();
                streams.AddRange([left, right]);
                _ = ReadLinesAsync(left);
                _ = ReadLinesAsync(right);
                // What a read or a write needs has to be returned.
                left.Write("hello\n"u8);
            }

            await Turns(10);
            Assert.DoesNotContain(streams, stream => !stream.IsReading || stream.IsWriting);
        }
    });

    [Fact]
    public void A_connection_of_a_server_holds_little_more() => AssertHolds(765 + More, async () =>
    {
        int begun = 0;
        await using TcpServer server = new(
            stream =>
            {
                begun++;
                return ReadLinesAsync(stream);
            },
            new TcpServerOptions { Backlog = Connections });
        EndPoint address = server.Listen(0, "127.0.0.1");
        Socket[] first = Connect(address);
        await AcceptAsync();
        // The loop, whose thread this is, cannot accept any of these before the count begins.
        Socket[] second = Connect(address);
        double held = await HeldAsync(AcceptAsync);
        foreach (Socket client in first.Concat(second)) client.Dispose();
        return held;

        async Task AcceptAsync()
        {
            for (int all = begun + Connections; begun < all;) await Turn();
        }
    });

    // 1.4 KB, with the stream that was taken over and the reader's state machine.
    [Fact]
    public void A_connection_as_pipes_holds_no_buffers_between_messages() => AssertHolds(1450 + More, async () =>
    {
        List<IDuplexPipe> pipes = [];
        List<Task> reading = [];
        await MakeAsync();
        double held = await HeldAsync(MakeAsync);
        foreach (IDuplexPipe pipe in pipes) await pipe.Output.CompleteAsync();
        await Task.WhenAll(reading);
        return held;

        async Task MakeAsync()
        {
            int received = 0;
            for (int i = 0; i < Connections / 2; i++)
            {
                (IOStream left, IOStream right) = IOStream.CreatePair();
                pipes.AddRange([left.AsDuplexPipe(), right.AsDuplexPipe()]);
                foreach (IDuplexPipe pipe in pipes.TakeLast(2))
                {
                    reading.Add(CountAsync(pipe.Input));
                    // Part of the memory that is lent.
                    pipe.Output.GetSpan(64)[..6].Clear();
                    pipe.Output.Advance(6);
                    await pipe.Output.FlushAsync();
                }

                await Turn(); // at whose end they are sent
            }

            while (Volatile.Read(ref received) < 6 * Connections) await Turn();
            await Turns(10);

            async Task CountAsync(PipeReader reader)
            {
                ReadResult result;
                do
                {
                    result = await reader.ReadAsync();
                    Interlocked.Add(ref received, (int)result.Buffer.Length);
                    reader.AdvanceTo(result.Buffer.End);
                }
                while (!result.IsCompleted);
                await reader.CompleteAsync();
            }
        }
    });

    // Both ends together: 5.7 to 6.2 KB. One record's buffer that is kept would be 16 KB more. OpenSSL's own memory is not counted, since
    // it is not on this heap.
    [Fact]
    public void A_TLS_connection_holds_no_buffers_between_messages() => AssertHolds(7000 + More, async () =>
    {
        List<SslIOStream> streams = [];
        SslClientAuthenticationOptions clientOptions = TestCertificates.ClientOptions();
        SslServerAuthenticationOptions serverOptions = TestCertificates.ServerOptions();
        await MakeAsync();
        double held = await HeldAsync(MakeAsync, TlsConnections);
        foreach (SslIOStream stream in streams) stream.Close();
        return held;

        async Task MakeAsync()
        {
            for (int i = 0; i < TlsConnections; i++)
            {
                (SslIOStream client, SslIOStream server) = await ConnectPairAsync(client: clientOptions, server: serverOptions);
                streams.AddRange([client, server]);
                _ = ReadLinesAsync(client);
                _ = ReadLinesAsync(server);
                // The first data of a server brings the session tickets, and what they need has to be returned too.
                client.Write("hello\n"u8);
                server.Write("hello\n"u8);
            }

            await Turns(10);
            Assert.DoesNotContain(streams, stream => !stream.IsReading || stream.IsWriting);
        }
    });

    private static Socket[] Connect(EndPoint address)
    {
        Socket[] clients = [.. Enumerable.Range(0, Connections).Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))];
        foreach (Socket client in clients) client.Connect(address);
        return clients;
    }

    private void AssertHolds(int bytes, Func<Task<double>> measure)
    {
        // Less than this is held only if something else was released.
        int least = bytes * 3 / 4;
        double held = 0;
        for (int i = 0; i < Attempts && (held < least || held > bytes); i++) Run(MeasureAsync, options => options.LoggerFactory = NullLoggerFactory.Instance); // log lines do not belong to the connections
        Assert.InRange(held, least, bytes);

        async Task MeasureAsync() => held = await measure();
    }

    /// <summary>The bytes that each connection created here holds.</summary>
    private static async Task<double> HeldAsync(Func<Task> make, int count = Connections)
    {
        long before = GC.GetTotalMemory(forceFullCollection: true);
        await make();
        return (double)(GC.GetTotalMemory(forceFullCollection: true) - before) / count;
    }

    private static async Task ReadLinesAsync(IOStream stream)
    {
        try
        {
            while (true) await stream.ReadUntilAsync("\n"u8, static line => line.Length);
        }
        catch (StreamClosedException)
        {
            // The test has ended.
        }
    }
}

/// <summary>Tests that measure resources shared by the whole process.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
