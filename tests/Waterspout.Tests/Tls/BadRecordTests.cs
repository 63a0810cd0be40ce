using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

/// <summary>What stands behind good data, in the same segment.</summary>
public enum Bad
{
    /// <summary>A record that has changed on its way.</summary>
    Changed,

    /// <summary>A fatal alert that is not encrypted, as an attacker on the way may send it.</summary>
    PlainAlert,

    /// <summary>No TLS at all.</summary>
    Plaintext,

    /// <summary>The first half of a record, and the end of the connection.</summary>
    Half,
}

/// <summary>How the good data is read.</summary>
public enum Reading
{
    Bytes,
    Until,
    Regex,
    Into,
    Chunks,
    Peek,
    UntilClose,
    PiecesOfBytes,
    PiecesUntilClose,
}

/// <summary>Data that arrives together with a record that is not good: the data is read, all of it and in order, and then comes the error.</summary>
public sealed class BadRecordTests : TlsTest
{
    private const string Lines = "one\ntwo\n";

    public static TheoryData<SslProtocols, bool, Bad, Reading> Readings
    {
        get
        {
            TheoryData<SslProtocols, bool, Bad, Reading> all = [];
            foreach (SslProtocols protocol in (SslProtocols[])[SslProtocols.Tls12, SslProtocols.Tls13])
                foreach (bool isServer in (bool[])[false, true])
                    foreach (Bad bad in (Bad[])[Bad.Changed, Bad.Plaintext])
                        foreach (Reading reading in Enum.GetValues<Reading>())
                            all.Add(protocol, isServer, bad, reading);
            return all;
        }
    }

    public static TheoryData<SslProtocols, bool, Bad> Kinds
    {
        get
        {
            TheoryData<SslProtocols, bool, Bad> all = [];
            foreach (SslProtocols protocol in (SslProtocols[])[SslProtocols.Tls12, SslProtocols.Tls13])
                foreach (bool isServer in (bool[])[false, true])
                    foreach (Bad bad in Enum.GetValues<Bad>())
                        all.Add(protocol, isServer, bad);
            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Readings))]
    public void What_arrives_in_front_of_it_is_read_before_the_error(SslProtocols protocol, bool isServer, Bad bad, Reading reading) => Run(async () =>
    {
        foreach (bool isBegunBefore in (bool[])[true, false])
        {
            Connection connection = await Connection.OpenAsync(protocol, isServer);
            SslIOStream stream = connection.Stream;
            Task<string>? read = isBegunBefore ? ReadAsync(stream, reading) : null;
            await connection.SendAsync(bad, "one\n", "two\n");
            read ??= ReadAsync(stream, reading);
            Assert.Equal(Lines, await read);
            await AssertFailedAsync(stream, bad);
            connection.Dispose();
        }
    });

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Records_of_all_sizes_in_front_of_it_are_read(SslProtocols protocol, bool isServer, Bad bad) => Run(async () =>
    {
        string[] pieces = [new string('a', 16384), "b", new string('c', 5000), .. Enumerable.Range(0, 37).Select(static i => $"{i}\n"), new string('d', 300)];
        Connection connection = await Connection.OpenAsync(protocol, isServer);
        await connection.SendAsync(bad, pieces);
        string all = string.Concat(pieces);
        Assert.Equal(all, Text(await connection.Stream.ReadBytesAsync(all.Length)));
        await AssertFailedAsync(connection.Stream, bad);
        connection.Dispose();
    });

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Data_that_waits_unread_can_be_read_after_a_bad_record(SslProtocols protocol, bool isServer, Bad bad) => Run(async () =>
    {
        Connection connection = await Connection.OpenAsync(protocol, isServer);
        await connection.SendAsync(bad, "one\n", "two\n");
        await Turns(10);
        Assert.Equal("one\n", Text(await connection.Stream.ReadUntilAsync("\n"u8)));
        await Turns(10);
        Assert.Equal("two\n", Text(await connection.Stream.ReadUntilAsync("\n"u8)));
        await AssertFailedAsync(connection.Stream, bad);
        connection.Dispose();
    });

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_comes_with_the_end_of_the_handshake_is_read(SslProtocols protocol, bool isServer, Bad bad) => Run(async () =>
    {
        // In the other combinations the peer's last flight is not its last word in the handshake.
        if (isServer != (protocol == SslProtocols.Tls13)) return;
        Connection connection = new(isServer);
        connection.Held.Passing = 1;
        Task handshake = connection.ShakeHandsAsync(protocol);
        await connection.PeersHandshake;
        await connection.SendAsync(bad, "one\n", "two\n");
        await handshake;
        Assert.Equal(Lines, Text(await connection.Stream.ReadBytesAsync(8)));
        await AssertFailedAsync(connection.Stream, bad);
        connection.Dispose();
    });

    private static async Task AssertFailedAsync(SslIOStream stream, Bad bad)
    {
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(() => stream.ReadBytesAsync(1).AsTask());
        Assert.Equal(bad == Bad.Half ? CloseReason.Truncated : CloseReason.Error, error.Reason);
        Assert.Equal(error.Reason, stream.CloseReason);
        if (bad != Bad.Half) Assert.IsAssignableFrom<IOException>(stream.Error);
    }

    private async Task<string> ReadAsync(SslIOStream stream, Reading reading)
    {
        switch (reading)
        {
            case Reading.Bytes: return Text(await stream.ReadBytesAsync(8));
            case Reading.Until: return Text([.. await stream.ReadUntilAsync("\n"u8), .. await stream.ReadUntilAsync("\n"u8)]);
            case Reading.Regex: return Text(await stream.ReadUntilRegexAsync("t.o\n"));
            case Reading.Into: return await ReadIntoAsync(stream);
            case Reading.Chunks: return await ReadChunksAsync(stream);
            case Reading.Peek:
                await stream.PeekAsync(8);
                return Text(await stream.ReadBytesAsync(8));
            case Reading.UntilClose:
                await Assert.ThrowsAsync<StreamClosedException>(() => stream.ReadUntilCloseAsync().AsTask());
                return Text(await stream.ReadBytesAsync(8));
            default: return await ReadPiecesAsync(stream, reading == Reading.PiecesOfBytes ? 100 : null);
        }
    }

    private static async Task<string> ReadIntoAsync(SslIOStream stream)
    {
        byte[] buffer = new byte[20_000];
        int count = 0;
        await Assert.ThrowsAsync<StreamClosedException>(async () =>
        {
            while (true) count += await stream.ReadIntoAsync(buffer.AsMemory(count), partial: true);
        });
        return Text(buffer.AsSpan(0, count));
    }

    private static async Task<string> ReadChunksAsync(SslIOStream stream)
    {
        string all = "";
        await Assert.ThrowsAsync<StreamClosedException>(async () =>
        {
            await foreach (ReadOnlyMemory<byte> chunk in stream.ReadChunksAsync()) all += Text(chunk.Span);
        });
        return all;
    }

    private async Task<string> ReadPiecesAsync(SslIOStream stream, int? count)
    {
        string all = "";
        Task closed = WhenClosed(stream);
        if (count is { } most) stream.ReadBytes(most, static _ => Assert.Fail("There is no such number of bytes."), piece => all += Text(piece));
        else stream.ReadUntilClose(static _ => Assert.Fail("This is no end."), piece => all += Text(piece));
        await closed;
        await Turns(5);
        return all;
    }

    /// <summary>A stream, and a peer whose records are sent by the test.</summary>
    private sealed class Connection : IDisposable
    {
        private readonly Socket _socket;
        private readonly SslStream _peer;
        private readonly bool _isServer;

        internal Connection(bool isServer)
        {
            _isServer = isServer;
            (Socket left, _socket) = SocketPair.Tcp();
            Held = new HoldingStream(new NetworkStream(_socket, ownsSocket: true));
            _peer = new SslStream(Held);
            Stream = isServer ? new SslIOStream(left, TestCertificates.ServerOptions()) : new SslIOStream(left, TestCertificates.ClientOptions());
        }

        internal SslIOStream Stream { get; }

        internal HoldingStream Held { get; }

        internal Task PeersHandshake { get; private set; } = Task.CompletedTask;

        internal static async Task<Connection> OpenAsync(SslProtocols protocol, bool isServer)
        {
            Connection connection = new(isServer);
            await connection.ShakeHandsAsync(protocol);
            connection.Held.Passing = 0;
            return connection;
        }

        internal Task ShakeHandsAsync(SslProtocols protocol)
        {
            SslClientAuthenticationOptions client = TestCertificates.ClientOptions();
            SslServerAuthenticationOptions server = TestCertificates.ServerOptions();
            client.EnabledSslProtocols = server.EnabledSslProtocols = protocol;
            client.AllowTlsResume = false;
            PeersHandshake = _isServer ? _peer.AuthenticateAsClientAsync(client) : _peer.AuthenticateAsServerAsync(server);
            return Task.WhenAll(PeersHandshake, Stream.WaitForHandshakeAsync().AsTask());
        }

        /// <summary>Sends records, and what is not good behind them, in one piece.</summary>
        internal async Task SendAsync(Bad bad, params string[] records)
        {
            foreach (string record in records) await _peer.WriteAsync(Bytes(record));
            int good = Held.HeldCount;
            await _peer.WriteAsync("behind it"u8.ToArray());
            byte[] wire = Held.TakeHeld();
            wire = [.. wire[..good], .. Spoil(bad, wire[good..])];
            Assert.Equal(wire.Length, await _socket.SendAsync(wire));
            if (bad == Bad.Half) _socket.Shutdown(SocketShutdown.Send);
        }

        public void Dispose()
        {
            Stream.Close();
            _peer.Dispose();
        }

        private static byte[] Spoil(Bad bad, byte[] record) => bad switch
        {
            Bad.Changed => [.. record[..^1], (byte)~record[^1]],
            Bad.PlainAlert => [21, 3, 3, 0, 2, 2, 20],
            Bad.Plaintext => Bytes("GET / HTTP/1.1\r\nHost: server.test\r\n\r\n"),
            _ => record[..(record.Length / 2)],
        };
    }
}
