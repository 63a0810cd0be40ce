using System.Diagnostics;
using Waterspout.Diagnostics;

namespace Waterspout.Tls;

/// <summary>A handshake. It waits for its peer on the loop, and is computed by a worker, step by step.</summary>
/// <remarks>
/// <para>Theory of operation. A step begins with the start of the handshake, or with data that has arrived for it, and ends when SslStream
/// needs more data or is done. Its code then returns to the worker, since everything that it awaits is a read of this class. By then all
/// that the step has written is there, and the loop takes over: it sends that, and receives for the next step. So each flight costs
/// one crossing in each direction. The last step of TLS 1.3 on a server is so short that it is done on the loop, as deferred work, unless
/// it may call the user or look up a certificate.</para>
/// <para>The phase is the handshake's owner. A close takes it from the loop or from the queue at once, and nothing is computed for a
/// closed connection. A worker that is computing sees the close when its step is over, and frees the engine itself.</para>
/// <para>A user's asynchronous callback may make SslStream wait for something else, and continue on a thread of the user's. The phase is
/// then the one for waiting on the loop, and the next step is posted from that thread.</para>
/// </remarks>
internal sealed partial class Handshake(SslIOStream stream, ITlsEngine engine, ServerAuthentication? server)
    : IThreadPoolWorkItem
{
    private readonly HandshakeGate _gate = HandshakeGate.Of(stream.Loop, server is not null);
    private bool _isAtGate; // has a place there, or waits for one
    private ExecutionContext? _context;
    private Activity? _activity;
    private IDisposable? _limit;
    private volatile Phase _phase;
    private volatile Task? _task;

    private enum Phase
    {
        OnLoop,
        Queued,
        Computing,
        Over,
    }

    /// <summary>This one may begin if fewer than this number are under way on the loop.</summary>
    internal int MaxHandshakes => stream.Options.MaxHandshakes;

    /// <summary>Its place in the queue at the gate, which sets this.</summary>
    internal LinkedListNode<Handshake>? Waiting { get; set; }

    /// <summary>Its place among those that wait for their peer, which the gate sets.</summary>
    internal LinkedListNode<(Handshake Handshake, long Since)>? Answered { get; set; }

    /// <summary>What it waits for.</summary>
    internal HandshakeWait Wait
    {
        get
        {
            if (Waiting is not null) return HandshakeWait.Place;
            // A step that is over without a read waits for a callback of the user's.
            bool isReceiving = _task is null || _reading != ReadPhase.None;
            return _phase == Phase.OnLoop && isReceiving ? HandshakeWait.Peer : HandshakeWait.Computation;
        }
    }

    private bool IsServer => server is not null;

    // The certificate of a client may have to be looked up. What is not encrypted may be a second hello, whose answer is signed.
    private bool IsLastAndShort =>
        server is { Options: { ClientCertificateRequired: false, RemoteCertificateValidationCallback: null } } && engine.IsHandshakeEncrypted;

    /// <summary>No step is being computed or queued.</summary>
    internal bool IsWaitingForPeer => _phase == Phase.OnLoop;

    /// <summary>Begins, on the loop.</summary>
    internal async void Begin(TimeSpan? limit)
    {
        if (Tracing.Source.HasListeners()) _activity = Tracing.Handshake(IsServer, stream.RemoteEndPoint);
        _context = ExecutionContext.Capture();
        if (limit is { } time) _limit = stream.Loop.CallLater(time, () => stream.OnHandshakeTimeout(time));
        try
        {
            if (IsServer) await engine.WaitForPeerAsync();
            if (IsServer && engine.IsEndAnnounced) OnPeerEnded();
            if (_phase == Phase.Over) return;
        }
        catch (Exception error)
        {
            stream.OnHandshakeEnded(error);
            return;
        }

        _isAtGate = true;
        if (_gate.TryEnter(this)) Enter();
    }

    /// <summary>Called when there is a place for it. Receives what a client has sent, and queues the first step.</summary>
    internal async void Enter()
    {
        try
        {
            if (IsServer) await engine.ReceiveFirstAsync();
            QueueStep();
        }
        catch (Exception error)
        {
            stream.OnHandshakeEnded(error);
        }
    }

    /// <summary>The peer has not answered for this time, and others wait for the place.</summary>
    internal void GiveUp(TimeSpan time) => stream.OnHandshakeTimeout(time);

    /// <summary>The peer has ended its side. A client that ends before a server has computed anything expects no answer.</summary>
    internal void OnPeerEnded()
    {
        // The phase first: the task is there before the first step is over, and not while it is computed.
        if (IsServer && _phase != Phase.Computing && _task is null)
            stream.OnHandshakeEnded(new IOException("The peer ended the connection before the handshake."));
    }

    /// <summary>The stream has closed, and this object now owns the engine. It is disposed now, or when the current step is over.</summary>
    internal void Drop()
    {
        if (stream.Error is { } error) _activity?.Fail(error);
        else _activity?.Fail(ErrorTypes.Of(stream.CloseReason), "The stream was closed.");
        if (End() != Phase.Computing) Release();
    }

    void IThreadPoolWorkItem.Execute() => ComputeStep();

    private void QueueStep()
    {
        bool isFirst = _task is null;
        if (Interlocked.CompareExchange(ref _phase, Phase.Queued, Phase.OnLoop) == Phase.OnLoop)
            HandshakeWorkers.Shared.Add(this, isFirst);
    }

    private void DeferStep()
    {
        if (Interlocked.CompareExchange(ref _phase, Phase.Queued, Phase.OnLoop) == Phase.OnLoop)
            stream.Loop.Defer(this, static handshake => handshake.ComputeStep());
    }

    private void ComputeStep()
    {
        if (Interlocked.CompareExchange(ref _phase, Phase.Computing, Phase.Queued) != Phase.Queued) return;
        if (_task is not null) CompleteRead();
        else if (_context is null) Start();
        else ExecutionContext.Run(_context, static handshake => ((Handshake)handshake!).Start(), this);

        if (Interlocked.CompareExchange(ref _phase, Phase.OnLoop, Phase.Computing) != Phase.Computing) Release();
        else if (!_task!.IsCompleted && _reading != ReadPhase.Wanted) ContinueWhenCompleted(PostToLoop);
        else if (stream.Loop.IsCurrent) Resume();
        else PostToLoop();
    }

    private void Start() => _task = engine.HandshakeAsync(this);

    private void PostToLoop() => stream.Loop.TryPost(this, static handshake => handshake.Resume());

    /// <summary>On the loop: sends what the step has written, and goes to the next.</summary>
    private void Resume()
    {
        engine.FlushLater();
        if (_phase == Phase.Over) FailRead();
        else if (_task!.IsCompleted) Finish(_task);
        else if (Interlocked.CompareExchange(ref _reading, ReadPhase.Receiving, ReadPhase.Wanted) == ReadPhase.Wanted) Receive();
    }

    private void Finish(Task task)
    {
        Exception? error = task.IsCanceled ? new OperationCanceledException() : task.Exception?.InnerException;
        if (error is not null) _activity?.Fail(error);
        else _activity?.SetTls(engine.Protocol, engine.CipherSuite, engine.ApplicationProtocol);
        End();
        stream.OnHandshakeEnded(error);
    }

    private async void Receive()
    {
        _gate.OnAnswered(this);
        try
        {
            _received = await engine.ReceiveAsync(_buffer);
        }
        catch (Exception error)
        {
            stream.OnHandshakeEnded(error);
            return;
        }

        if (IsLastAndShort) DeferStep();
        else QueueStep();
    }

    private Phase End()
    {
        _limit?.Dispose();
        if (_isAtGate && !stream.Loop.IsDisposed) _gate.Leave(this);
        _isAtGate = false;
        _activity?.Dispose();
        _activity = null;
        return Interlocked.Exchange(ref _phase, Phase.Over);
    }

    /// <summary>Lets SslStream finish, then disposes of it.</summary>
    private void Release()
    {
        FailRead();
        ContinueWhenCompleted(() =>
        {
            _ = _task?.Exception; // of a handshake without a waiter
            engine.Dispose();
        });
    }

    private void ContinueWhenCompleted(Action action)
    {
        if (_task is null or { IsCompleted: true }) action();
        else _task.ContinueWith(
            static (_, action) => ((Action)action!)(),
            action,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }
}
