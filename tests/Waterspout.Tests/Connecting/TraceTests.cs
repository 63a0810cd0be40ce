using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Waterspout.Tests.Tls;

namespace Waterspout.Tests;

/// <summary>The activities of connecting and of handshakes.</summary>
[OnEachPoller]
public sealed class TraceTests : LoopTest, IDisposable
{
    private readonly List<Activity> _activities = [];
    private readonly ActivityListener _listener;

    public TraceTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "Waterspout",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                lock (_activities) _activities.Add(activity);
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose() => _listener.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Connecting_to_a_name_has_its_resolution_and_its_addresses_as_children(bool isOnLoop) => Run(async () =>
    {
        using TestListener listener = new();
        int port = ((IPEndPoint)listener.EndPoint).Port;
        using Activity caller = new Activity("caller").Start();
        using IOStream stream = await (isOnLoop ? ConnectAsync() : Loop.InvokeAsync(() => Task.Run(ConnectAsync)));
        listener.Accept().Dispose();
        Activity whole = Assert.Single(_activities, activity => activity.ParentSpanId == caller.SpanId);
        Assert.Equal(("connect", "localhost", port), (whole.OperationName, whole.GetTagItem("server.address"), whole.GetTagItem("server.port")));
        Activity resolution = Assert.Single(_activities, activity => activity.OperationName == "resolve");
        Assert.Equal("localhost", resolution.GetTagItem("dns.question.name"));
        Assert.Contains("127.0.0.1", Assert.IsType<string[]>(resolution.GetTagItem("dns.answers")));
        Activity address = Assert.Single(_activities, activity => activity.OperationName == "connect" && activity != whole);
        Assert.Equal(("127.0.0.1", port), (address.GetTagItem("network.peer.address"), address.GetTagItem("network.peer.port")));
        Assert.Equal(("tcp", "ipv4"), (address.GetTagItem("network.transport"), address.GetTagItem("network.type")));
        Assert.All([resolution, address], child => Assert.Equal(whole.SpanId, child.ParentSpanId));
        Assert.All(_activities, activity => Assert.Equal(ActivityStatusCode.Unset, activity.Status));

        async Task<IOStream> ConnectAsync() => await IOStream.ConnectAsync("localhost", port);
    }, options => options.Lookup = static (_, _, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]));

    [Fact]
    public void Each_address_of_a_name_that_fails_says_why() => Run(async () =>
    {
        int port = TestListener.UnusedPort();
        IOStream stream = new(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        await Assert.ThrowsAsync<StreamClosedException>(async () => await stream.ConnectAsync(new DnsEndPoint("localhost", port)));
        Assert.Equal(["connect", "connect", "connect", "resolve"], _activities.Select(activity => activity.OperationName).Order());
        Assert.All(_activities.Where(activity => activity.OperationName == "connect"), activity =>
        {
            Assert.Equal("connection_refused", activity.GetTagItem("error.type"));
            Assert.Equal(ActivityStatusCode.Error, activity.Status);
        });
    }, options => options.Lookup = static (_, _, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback, IPAddress.Parse("127.0.0.2")]));

    [Fact]
    public void A_name_that_is_unknown_says_so() => Run(async () =>
    {
        await Assert.ThrowsAsync<StreamClosedException>(async () => await IOStream.ConnectAsync("nowhere.invalid", 1));
        Assert.All(_activities, activity => Assert.Equal("host_not_found", activity.GetTagItem("error.type")));
        Assert.Equal(["resolve", "connect"], _activities.Select(activity => activity.OperationName));
    }, options => options.Lookup = static (_, _, _) => Task.FromException<IPAddress[]>(new SocketException((int)SocketError.HostNotFound)));

    [Fact]
    public void A_handshake_says_what_it_has_negotiated() => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        SslServerAuthenticationOptions serverOptions = TestCertificates.ServerOptions();
        SslClientAuthenticationOptions clientOptions = TestCertificates.ClientOptions();
        serverOptions.ApplicationProtocols = clientOptions.ApplicationProtocols = [new SslApplicationProtocol("lines")];
        SslIOStream server = new(left, serverOptions);
        SslIOStream client = new(right, clientOptions);
        await Task.WhenAll(client.WaitForHandshakeAsync().AsTask(), server.WaitForHandshakeAsync().AsTask());
        Assert.Equal(["TLS client handshake", "TLS server handshake"], _activities.Select(activity => activity.DisplayName).Order());
        Assert.All(_activities, activity =>
        {
            Assert.Equal("handshake", activity.OperationName);
            Assert.Equal(("tls", "1.3"), (activity.GetTagItem("tls.protocol.name"), activity.GetTagItem("tls.protocol.version")));
            Assert.Equal((client.CipherSuite.ToString(), "lines"), (activity.GetTagItem("tls.cipher"), activity.GetTagItem("tls.next_protocol")));
            Assert.Equal("127.0.0.1", activity.GetTagItem("network.peer.address"));
        });
    });

    [Fact]
    public void A_handshake_that_fails_says_why() => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        SslIOStream server = new(left, TestCertificates.ServerOptions(), new IOStreamOptions { HandshakeTimeout = TimeSpan.FromMilliseconds(1) });
        await Assert.ThrowsAsync<StreamClosedException>(async () => await server.WaitForHandshakeAsync());
        right.Dispose();
        (left, right) = SocketPair.Tcp();
        server = new SslIOStream(left, TestCertificates.ServerOptions());
        right.Send("GET / HTTP/1.0\r\n\r\n"u8);
        await Assert.ThrowsAsync<StreamClosedException>(async () => await server.WaitForHandshakeAsync());
        right.Dispose();
        Assert.Equal(["timeout", typeof(AuthenticationException).FullName], _activities.Select(activity => activity.GetTagItem("error.type")));
        Assert.All(_activities, activity => Assert.Equal(ActivityStatusCode.Error, activity.Status));
    });
}
