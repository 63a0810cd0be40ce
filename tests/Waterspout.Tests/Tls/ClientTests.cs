using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Reflection;
using System.Security.Authentication;

namespace Waterspout.Tests.Tls;

/// <summary>The client side: connecting, what it requests, what it learns.</summary>
public sealed class ClientTests : TlsTest
{
    [Theory]
    [MemberData(nameof(Protocols))]
    public void The_negotiated_parameters_are_reported(SslProtocols protocol) => Run(async () =>
    {
        SslServerAuthenticationOptions serverOptions = TestCertificates.ServerOptions();
        serverOptions.ApplicationProtocols = [SslApplicationProtocol.Http11];
        serverOptions.EnabledSslProtocols = protocol;
        SslClientAuthenticationOptions clientOptions = TestCertificates.ClientOptions();
        clientOptions.ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];
        (SslIOStream client, SslIOStream server) = BeginPair(null, clientOptions, serverOptions);
        Assert.Null(client.RemoteCertificate);
        Assert.Equal(SslProtocols.None, client.SslProtocol);
        Assert.Equal(default, client.ApplicationProtocol);
        Assert.Equal("", client.TargetHostName);
        Assert.Throws<InvalidOperationException>(() => client.CipherSuite);
        Task first = client.WaitForHandshakeAsync().AsTask(), second = client.WaitForHandshakeAsync().AsTask();
        Assert.False(first.IsCompleted || second.IsCompleted);
        await Task.WhenAll(first, second, server.WaitForHandshakeAsync().AsTask());
        Assert.True(client.WaitForHandshakeAsync().IsCompletedSuccessfully);

        Assert.Equal(protocol, client.SslProtocol);
        Assert.Equal(protocol, server.SslProtocol);
        Assert.Equal(server.CipherSuite, client.CipherSuite);
        Assert.Equal(SslApplicationProtocol.Http11, client.ApplicationProtocol);
        Assert.Equal(SslApplicationProtocol.Http11, server.ApplicationProtocol);
        Assert.Equal(TestCertificates.Host, client.TargetHostName);
        Assert.Equal(TestCertificates.Host, server.TargetHostName);
        Assert.Equal(TestCertificates.Server.Thumbprint, client.RemoteCertificate!.Thumbprint);
        Assert.Null(server.RemoteCertificate);
        await AssertEchoes(client, server);
        client.Close();
        await Assert.ThrowsAsync<StreamClosedException>(() => client.WaitForHandshakeAsync().AsTask());
    });

    [Fact]
    public void Reads_and_writes_may_come_before_the_handshake() => Run(async () =>
    {
        (SslIOStream client, SslIOStream server) = BeginPair();
        ValueTask<byte[]> fromClient = server.ReadUntilAsync("\n"u8), fromServer = client.ReadUntilAsync("\n"u8);
        await client.WriteAsync("early "u8);
        Assert.Equal(SslProtocols.None, client.SslProtocol);
        Task large = client.WriteAsync((ReadOnlyMemory<byte>)new byte[100_000]).AsTask();
        await client.WriteAsync("\n"u8);
        await server.WriteAsync("answer\n"u8);
        Assert.Equal("answer\n", Text(await fromServer));
        byte[] received = await fromClient;
        Assert.Equal(100_007, received.Length);
        Assert.StartsWith("early ", Text(received));
        await large;
        await client.WaitForHandshakeAsync();
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Connect_sends_the_name_and_verifies_it(bool isInOptions) => Run(async () =>
    {
        (EndPoint address, Task<string> asked) = ServeOnce();
        SslClientAuthenticationOptions options = TestCertificates.ClientOptions(isInOptions ? TestCertificates.Host : null);
        SslIOStream client = new(NewSocket(), options);
        TaskCompletionSource connected = new();
        // The options' own name takes precedence.
        client.Connect(address, connected.SetResult, isInOptions ? "ignored.test" : TestCertificates.Host);
        await connected.Task;
        Assert.Equal(TestCertificates.Host, client.TargetHostName);
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.ConnectAsync(address).AsTask());
        Assert.Throws<InvalidOperationException>(() => client.Connect(address));
        await client.WriteAsync("x"u8);
        Assert.Equal(TestCertificates.Host, await asked);
        Assert.Equal(isInOptions ? TestCertificates.Host : null, options.TargetHost);
        await client.CloseAsync();
    });

    [Fact]
    public void Connect_fails_for_another_name() => Run(async () =>
    {
        (EndPoint address, Task<string> asked) = ServeOnce();
        SslIOStream client = new(NewSocket(), TestCertificates.ClientOptions(null));
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(
            () => client.ConnectAsync(address, "wrong.test").AsTask());
        Assert.IsType<AuthenticationException>(error.InnerException);
        Assert.Same(error.InnerException, client.Error);
        await Assert.ThrowsAsync<StreamClosedException>(() => asked);
    });

    [Fact]
    public void Connecting_by_host_and_port_checks_the_host() => Run(async () =>
    {
        (EndPoint address, Task<string> asked) = ServeOnce();
        // The certificate is valid for this address too.
        SslIOStream client = await SslIOStream.ConnectAsync("127.0.0.1", ((IPEndPoint)address).Port, TestCertificates.ClientOptions(null));
        await client.WriteAsync("x"u8);
        await asked;
        await client.CloseAsync();

        (address, asked) = ServeOnce();
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(
            () => SslIOStream.ConnectAsync("localhost", ((IPEndPoint)address).Port, TestCertificates.ClientOptions(null)).AsTask());
        Assert.IsType<AuthenticationException>(error.InnerException);
        await Assert.ThrowsAsync<StreamClosedException>(() => asked);
    });

    [Fact]
    public void Every_static_form_that_is_called_on_the_class_is_TLS() => Run(async () =>
    {
        await using TcpServer server = new(_ => Task.CompletedTask, new TcpServerOptions { Ssl = TestCertificates.ServerOptions() });
        int port = ((IPEndPoint)server.Listen(0, "127.0.0.1")).Port;
        IOStreamOptions options = new();
        CancellationToken none = CancellationToken.None;
        // All of these compile; none may resolve to the base class's method for plain streams. The platform does not trust the server.
        Func<ValueTask<SslIOStream>>[] calls =
        [
            () => SslIOStream.ConnectAsync("127.0.0.1", port),
            () => SslIOStream.ConnectAsync("127.0.0.1", port, null),
            () => SslIOStream.ConnectAsync("127.0.0.1", port, options),
            () => SslIOStream.ConnectAsync("127.0.0.1", port, options: options),
            () => SslIOStream.ConnectAsync("127.0.0.1", port, options, none),
            () => SslIOStream.ConnectAsync("127.0.0.1", port, cancellationToken: none),
            () => SslIOStream.ConnectAsync("127.0.0.1", port, null, null, none),
        ];
        foreach (Func<ValueTask<SslIOStream>> call in calls)
        {
            StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(() => call().AsTask());
            Assert.IsType<AuthenticationException>(error.InnerException);
        }
    });

    [Fact]
    public void No_static_method_for_plain_streams_is_found_through_the_class()
    {
        static string Shape(MethodInfo method) => $"{method.Name}({string.Join(", ", method.GetParameters().Select(each => each.ParameterType))})";
        const BindingFlags Own = BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly;
        string[] hidden = [.. typeof(SslIOStream).GetMethods(Own).Select(Shape)];
        Assert.All(typeof(IOStream).GetMethods(Own).Select(Shape), method => Assert.Contains(method, hidden));
        Assert.True(typeof(SslIOStream).GetMethod(nameof(IOStream.CreatePair), Own)!.GetCustomAttribute<ObsoleteAttribute>()!.IsError);
    }

    [Fact]
    public void Arguments_out_of_range_are_refused_by_the_call()
    {
        Assert.IsType<ArgumentException>(Record.Exception(() => { _ = SslIOStream.ConnectAsync("", 1); }));
        Assert.IsType<ArgumentOutOfRangeException>(Record.Exception(() => { _ = SslIOStream.ConnectAsync("localhost", 0); }));
        Assert.IsType<ArgumentOutOfRangeException>(Record.Exception(() => { _ = SslIOStream.ConnectAsync("localhost", 1, new IOStreamOptions { ReadChunkSize = 0 }); }));
    }

    [Fact]
    public void The_time_limit_of_connecting_includes_the_handshake() => Run(async () =>
    {
        using Socket silent = NewSocket();
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        silent.Listen();
        IOStreamOptions options = new() { ConnectTimeout = TimeSpan.FromMilliseconds(50) };
        await Assert.ThrowsAsync<TimeoutException>(
            () => SslIOStream.ConnectAsync("127.0.0.1", ((IPEndPoint)silent.LocalEndPoint!).Port, TestCertificates.ClientOptions(null), options).AsTask());
        using CancellationTokenSource cancellation = new();
        Task connect = SslIOStream.ConnectAsync("127.0.0.1", ((IPEndPoint)silent.LocalEndPoint!).Port, TestCertificates.ClientOptions(null), null, cancellation.Token).AsTask();
        await Turns(3);
        cancellation.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connect);
    });

    [Fact]
    public void A_refused_connection_is_reported_as_refused() => Run(async () =>
    {
        using Socket unheard = NewSocket();
        unheard.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        SslIOStream client = new(NewSocket(), TestCertificates.ClientOptions());
        Task handshake = client.WaitForHandshakeAsync().AsTask();
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(() => client.ConnectAsync(unheard.LocalEndPoint!).AsTask());
        Assert.Equal(SocketError.ConnectionRefused, Assert.IsType<SocketException>(error.InnerException).SocketErrorCode);
        Assert.Same(error.InnerException, (await Assert.ThrowsAsync<StreamClosedException>(() => handshake)).InnerException);
    });

    [Theory]
    [MemberData(nameof(Protocols))]
    public void The_client_shows_its_certificate(SslProtocols protocol) => Run(async () =>
    {
        SslServerAuthenticationOptions serverOptions = TestCertificates.ServerOptions();
        serverOptions.ClientCertificateRequired = true;
        serverOptions.CertificateChainPolicy = TestCertificates.Trust(TestCertificates.Root);
        serverOptions.EnabledSslProtocols = protocol;
        SslClientAuthenticationOptions clientOptions = TestCertificates.ClientOptions();
        clientOptions.ClientCertificates = [TestCertificates.Client];
        (SslIOStream client, SslIOStream server) = await ConnectPairAsync(null, clientOptions, serverOptions);
        Assert.Equal(TestCertificates.Client.Thumbprint, server.RemoteCertificate!.Thumbprint);
        await AssertEchoes(client, server);
    });

    [Theory]
    [InlineData(SslProtocols.Tls12, true)]
    [InlineData(SslProtocols.Tls12, false)]
    [InlineData(SslProtocols.Tls13, true)]
    [InlineData(SslProtocols.Tls13, false)]
    public void Sessions_are_resumed_unless_that_is_turned_off(SslProtocols protocol, bool allow) => Run(async () =>
    {
        // A full handshake contains the certificate, and so is much longer. A unique name, since sessions are cached by name.
        string host = $"resume-{Guid.NewGuid():N}.test";
        SslServerAuthenticationOptions serverOptions = TestCertificates.ServerOptions(TestCertificates.MakeLeaf(host, TestCertificates.Root));
        serverOptions.EnabledSslProtocols = protocol;
        SslClientAuthenticationOptions clientOptions = TestCertificates.ClientOptions(host);
        clientOptions.AllowTlsResume = allow;
        int first = await HandshakeLength();
        int second = await HandshakeLength();
        Assert.Equal(allow, second < first - 300);

        async Task<int> HandshakeLength()
        {
            Relay relay = new Relay().Start();
            SslIOStream client = new(relay.Left, clientOptions), server = new(relay.Right, serverOptions);
            await AssertEchoes(client, server);
            int length = relay.FromRight.Count;
            await Task.WhenAll(client.CloseAsync().AsTask(), server.CloseAsync().AsTask());
            return length;
        }
    });

    private static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    /// <summary>Accepts one connection, and returns the name that it asked for once it has sent a byte.</summary>
    private static (EndPoint Address, Task<string> Asked) ServeOnce()
    {
        Socket listener = NewSocket();
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        return (listener.LocalEndPoint!, ServeAsync());

        async Task<string> ServeAsync()
        {
            using (listener)
            {
                SslIOStream server = new(await listener.AcceptAsync(), TestCertificates.ServerOptions());
                await server.ReadBytesAsync(1);
                string name = server.TargetHostName;
                await server.CloseAsync();
                return name;
            }
        }
    }
}
