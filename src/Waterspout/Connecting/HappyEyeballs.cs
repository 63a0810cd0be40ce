using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Waterspout.Diagnostics;
using Waterspout.Interop;
using Waterspout.Loop;

namespace Waterspout.Connecting;

/// <summary>Connects to a host by racing its addresses (RFC 8305).</summary>
/// <remarks>
/// All of it runs on the loop, so nothing here needs a lock: an attempt that fails, a delay that expires and an attempt that wins each
/// complete the one task that the race waits for.
/// </remarks>
internal sealed class HappyEyeballs(IReadOnlyList<IPEndPoint> addresses, IOStreamOptions options, IOLoop loop)
{
    private readonly List<IOStream> _attempts = [];
    private readonly List<Exception> _errors = [];
    private TaskCompletionSource _change = new();
    private IOStream? _winner;

    internal static void CheckArguments(string host, int port, IOStreamOptions? options)
    {
        TextCheck.NoNul(host, nameof(host));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(port);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, IPEndPoint.MaxPort);
        options?.Validate(nameof(options));
    }

    internal static async ValueTask<IOStream> ConnectAsync(
        string host, int port, IOStreamOptions options, IOLoop loop, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using Activity? activity = Tracing.Source.HasListeners() ? Tracing.Connect(new DnsEndPoint(host, port)) : null;
        Activity? parent = Tracing.Ambient;
        try
        {
            return await loop.InvokeAsync(async () =>
            {
                Tracing.Continue(parent);
                using IDisposable? timer = TimeLimit.Start(loop, timeout, () =>
                {
                    loop.Counters.Timeouts[(int)TimedOperation.Connect]++;
                    limit.Cancel();
                });
                IReadOnlyList<IPEndPoint> addresses = await ResolveAsync(host, port, options, loop, limit.Token);
                return await new HappyEyeballs(addresses, options, loop).RaceAsync(limit.Token);
            });
        }
        catch (Exception error)
        {
            error = Translate(error, $"{host}:{port}", timeout, limit.Token, cancellationToken);
            activity?.Fail(error);
            throw error;
        }
    }

    // A cancellation and the time limit take precedence over errors caused by them, or raised at the same time.
    private static Exception Translate(
        Exception error, string target, TimeSpan? timeout, CancellationToken limit, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return new OperationCanceledException(cancellationToken);
        if (limit.IsCancellationRequested) return new TimeoutException($"No connection to {target} within {timeout}.");
        return error switch
        {
            AggregateException errors => new StreamClosedException(
                $"Cannot connect to {target}: {string.Join("; ", errors.InnerExceptions.Select(each => each.Message))}", errors),
            SocketException => new StreamClosedException($"Cannot connect to {target}: {error.Message}", error),
            _ => error,
        };
    }

    /// <summary>Alternates the families, starting with that of the first address, which the resolver preferred.</summary>
    internal static List<IPEndPoint> Interleave(IEnumerable<IPAddress> addresses, int port)
    {
        List<IPEndPoint> all = [.. addresses.Select(address => new IPEndPoint(address, port))];
        List<IPEndPoint> preferred = all.FindAll(address => address.AddressFamily == all[0].AddressFamily);
        List<IPEndPoint> others = all.FindAll(address => address.AddressFamily != all[0].AddressFamily);
        List<IPEndPoint> order = [];
        for (int i = 0; i < Math.Max(preferred.Count, others.Count); i++)
        {
            if (i < preferred.Count) order.Add(preferred[i]);
            if (i < others.Count) order.Add(others[i]);
        }

        return order;
    }

    private static async Task<IReadOnlyList<IPEndPoint>> ResolveAsync(
        string host, int port, IOStreamOptions options, IOLoop loop, CancellationToken cancellationToken)
    {
        IPAddress[] found = await EndPointResolver.ResolveAsync(host, AddressFamily.Unspecified, loop, cancellationToken);
        if (options.LocalEndPoint is { } local) found = Array.FindAll(found, candidate => candidate.AddressFamily == local.AddressFamily);
        return found.Length > 0 ? Interleave(found, port) : throw new SocketException((int)SocketError.NoData);
    }

    private async Task<IOStream> RaceAsync(CancellationToken cancellationToken)
    {
        try
        {
            for (int next = 0; _winner is null && _errors.Count < addresses.Count;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                using IDisposable? delay = next < addresses.Count ? TimeLimit.Start(loop, options.ConnectAttemptDelay, SignalChange) : null;
                if (next < addresses.Count) Attempt(addresses[next++], cancellationToken);
                await _change.Task;
                _change = new TaskCompletionSource();
            }

            cancellationToken.ThrowIfCancellationRequested();
            return _winner ?? throw (_errors.Count == 1 ? _errors[0] : new AggregateException(_errors));
        }
        catch
        {
            _winner?.Close();
            _winner = null;
            throw;
        }
        finally
        {
            foreach (IOStream attempt in _attempts)
                if (attempt != _winner) attempt.Close();
        }
    }

    private async void Attempt(IPEndPoint address, CancellationToken cancellationToken)
    {
        try
        {
            IOStream stream = FileDescriptors.HandOver(CreateSocket(address), fd => IOStream.FromUnconnected(fd, options, loop));
            _attempts.Add(stream);
            await stream.ConnectCoreAsync(address, null, cancellationToken);
            stream.SetNoDelay(true);
            _winner ??= stream;
        }
        catch (Exception error)
        {
            _errors.Add(error is StreamClosedException { InnerException: { } inner } ? inner : error);
        }

        SignalChange();
    }

    private void SignalChange() => _change.TrySetResult();

    private Descriptor CreateSocket(IPEndPoint address)
    {
        Descriptor created = Sockets.Create(address.AddressFamily);
        return FileDescriptors.HandOver(created, fd =>
        {
            SocketSettings.Apply(fd, options);
            SocketSettings.Configure(fd, options.ConfigureSocket);
            if (options.LocalEndPoint is not { } local) return fd;
            PosixResult bound = Sockets.Bind(fd, local.Serialize());
            return bound.IsSuccess ? fd : throw AddressError.Of(PosixResult.ToSocketException(bound.Error), local);
        });
    }
}
