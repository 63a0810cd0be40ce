using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Waterspout.Tls;

namespace Waterspout.Tests.Tls;

/// <summary>The engine, which has unmanaged memory, is freed with the stream, but not during a handshake that is being computed.</summary>
[OnEachPoller]
public sealed class EngineReleaseTests : TlsTest
{
    [Fact]
    public void An_engine_whose_handshake_has_failed_is_disposed() => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        using Socket peer = right;
        TestEngine engine = new();
        StreamWithEngine stream = new(left, engine);
        AuthenticationException error = new("no");
        engine.Handshake.SetException(error);
        StreamClosedException told = await Assert.ThrowsAsync<StreamClosedException>(() => stream.WaitForHandshakeAsync().AsTask());
        Assert.Same(error, told.InnerException);
        await engine.Disposed.Task;
    });

    [Fact]
    public void An_engine_is_disposed_after_the_handshake_that_a_close_interrupts() => Run(async () =>
    {
        (Socket left, Socket right) = SocketPair.Tcp();
        using Socket peer = right;
        TestEngine engine = new();
        StreamWithEngine stream = new(left, engine);
        await engine.Begun.Task;
        stream.Close();
        await Turn();
        Assert.False(engine.Disposed.Task.IsCompleted);
        engine.Handshake.SetException(new IOException("The transport is closed."));
        await engine.Disposed.Task;
    });

    [Fact]
    public void A_handshake_that_outlives_its_connection_ends_with_the_loop()
    {
        TestEngine engine = new();
        SslIOStream? stream = null;
        Task? waiting = null;
        Run(async () =>
        {
            (Socket left, Socket right) = SocketPair.Tcp();
            stream = new StreamWithEngine(left, engine);
            waiting = stream.WaitForHandshakeAsync().AsTask();
            await engine.Begun.Task;
            right.LingerState = new LingerOption(true, 0);
            right.Close();
            await engine.Failed.Task;
            // It may have everything that it needs.
            await Turns(5);
            Assert.False(stream.IsClosed);
        });
        Assert.True(stream!.IsClosed);
        Assert.True(waiting!.IsFaulted);
        engine.Handshake.SetException(new IOException("The transport is closed."));
    }

    private sealed class StreamWithEngine(Socket socket, ITlsEngine engine) : SslIOStream(null, null, socket, null, null)
    {
        private protected override ITlsEngine CreateEngine(Func<SslStream, Task> authenticate) => engine;
    }

    private sealed class TestEngine : ITlsEngine
    {
        internal TaskCompletionSource Begun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal TaskCompletionSource Handshake { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal TaskCompletionSource Failed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal TaskCompletionSource Disposed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public SslProtocols Protocol => SslProtocols.None;

        public TlsCipherSuite CipherSuite => default;

        public SslApplicationProtocol ApplicationProtocol => default;

        public string TargetHostName => "";

        public X509Certificate2? RemoteCertificate => null;

        public bool IsEndAnnounced => false;

        public bool IsTruncated => false;

        public Exception? TransportError => null;

        public bool IsFlushed => true;

        public bool IsDeferred => false;

        public bool IsHandshakeEncrypted => false;

        public void OnEvents(IOEvents events)
        {
            if ((events & IOEvents.Error) != 0) Failed.TrySetResult();
        }

        public void ContinueHandshake()
        {
        }

        public void Keep(ReadOnlySpan<byte> received)
        {
        }

        public ValueTask WaitForPeerAsync() => default;

        public ValueTask ReceiveFirstAsync() => default;

        public ValueTask<int> ReceiveAsync(Memory<byte> buffer) => default;

        public Task HandshakeAsync(Handshake handshake)
        {
            Begun.SetResult();
            return Handshake.Task;
        }

        public int? Read(Memory<byte> buffer) => null;

        public int? Write(ReadOnlySpan<ReadOnlyMemory<byte>> pieces) => null;

        public void FlushLater()
        {
        }

        public void Flush()
        {
        }

        public void Shutdown()
        {
        }

        public void Dispose() => Disposed.SetResult();
    }
}
