using System.ComponentModel;
using System.Diagnostics;
using Waterspout.Interop;
using Waterspout.Loop;
using Waterspout.Processes;

namespace Waterspout;

/// <summary>A child process with streams of this library, on top of <see cref="System.Diagnostics.Process"/>.</summary>
/// <remarks>
/// <para>The child is started by the platform, which also notices its exit. The exit does not depend on the pipes: a process that the
/// child has left behind, and that still holds them, delays neither <see cref="WaitForExitAsync"/> nor, by default, the end of the child's
/// output (<see cref="ChildProcessOptions.OutputEndsAtExit"/>).</para>
/// <para>A pipe holds 64 KiB. A child whose output or errors are redirected and not read stops when its pipe is full:
/// <see cref="DrainErrorAsync"/> reads the errors beside everything else.</para>
/// <para>The streams belong to their loop. All members of this class may be used from any thread. Tornado's counterpart is
/// <c>tornado.process.Subprocess</c>, which has neither a time limit nor a kill of descendants.</para>
/// </remarks>
public sealed class ChildProcess : IDisposable, IAsyncDisposable
{
    private readonly ChildProcessOptions _options;
    private readonly IOLoop _loop;
    private readonly ChildOutput? _output;
    private readonly ChildOutput? _error;
    private readonly PipeIOStream? _input;
    private readonly Task<int> _exit;
    private readonly IDisposable? _timeLimit;
    private readonly string _name;
    private volatile bool _isOverTime;

    private ChildProcess(Process process, ChildProcessOptions options, IOLoop loop)
    {
        (Process, _options, _loop, Id, _name) = (process, options, loop, process.Id, Path.GetFileName(process.StartInfo.FileName));
        try
        {
            if (Redirects(StandardStreams.Input)) _input = new PipeIOStream(ChildPipes.Input(process), options.Streams, loop);
            if (Redirects(StandardStreams.Output)) _output = new ChildOutput(ChildPipes.Output(process), options.Streams, loop);
            if (Redirects(StandardStreams.Error)) _error = new ChildOutput(ChildPipes.Error(process), options.Streams, loop);
            if (options.TimeLimit is { } limit) _timeLimit = loop.CallLater(limit, EndByTimeLimit);
        }
        catch
        {
            CloseStreams();
            Kill();
            process.Dispose();
            throw;
        }

        _exit = NoticeExitAsync();
    }

    /// <summary>The platform's object, for what this class does not offer. Its standard streams are in use here.</summary>
    /// <remarks>Not disposed by this class, since that would make its properties unusable. It holds nothing but its wait handle.</remarks>
    public Process Process { get; }

    /// <summary>The process ID. The system may reuse it once the child has exited.</summary>
    public int Id { get; }

    /// <summary>What is written here is the child's standard input. Closing it is the end of that input.</summary>
    /// <exception cref="InvalidOperationException">It is not redirected.</exception>
    public PipeIOStream StandardInput => _input ?? throw NotRedirected(StandardStreams.Input);

    /// <summary>What the child writes to its standard output.</summary>
    /// <exception cref="InvalidOperationException">It is not redirected.</exception>
    public PipeIOStream StandardOutput => _output ?? throw NotRedirected(StandardStreams.Output);

    /// <summary>What the child writes to its standard error.</summary>
    /// <exception cref="InvalidOperationException">It is not redirected.</exception>
    public PipeIOStream StandardError => _error ?? throw NotRedirected(StandardStreams.Error);

    /// <summary>Whether the child has exited.</summary>
    public bool HasExited => _exit.IsCompleted;

    /// <summary>Starts a child.</summary>
    /// <param name="startInfo">
    /// The program, its arguments, environment and directory. What it says of redirection is replaced by
    /// <see cref="ChildProcessOptions.Redirect"/>, and is as before when this returns.
    /// </param>
    /// <param name="options">What is redirected, and when the child ends; null for the defaults.</param>
    /// <param name="loop">The loop of the streams; <see cref="IOLoop.Current"/> when null.</param>
    /// <remarks>Takes as long as the platform needs for fork and exec, about a millisecond. If it fails, nothing is left behind.</remarks>
    /// <exception cref="ArgumentException">
    /// The program is not named, or it is to be started by a shell (<see cref="ProcessStartInfo.UseShellExecute"/>).
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    /// <exception cref="Win32Exception">There is no such program, or it cannot be executed.</exception>
    /// <exception cref="ObjectDisposedException">The loop has been disposed.</exception>
    public static ChildProcess Start(ProcessStartInfo startInfo, ChildProcessOptions? options = null, IOLoop? loop = null)
    {
        ArgumentNullException.ThrowIfNull(startInfo);
        if (startInfo.FileName.Length == 0) throw new ArgumentException("FileName is empty.", nameof(startInfo));
        if (startInfo.UseShellExecute)
            throw new ArgumentException("UseShellExecute is set: a child of the desktop's shell has no streams.", nameof(startInfo));
        options ??= new ChildProcessOptions();
        options.Validate(nameof(options));
        return new ChildProcess(ChildPipes.Start(startInfo, options.Redirect), options, loop ?? IOLoop.Current);
    }

    /// <summary>Waits until the child has exited. Its output may still have to be read.</summary>
    /// <param name="cancellationToken">Ends the wait only: the child runs on, and may be waited for again.</param>
    /// <returns>The exit code; 128 and the number of the signal if a signal ended the child.</returns>
    /// <exception cref="TimeoutException">
    /// The child was killed at <see cref="ChildProcessOptions.TimeLimit"/>. Thrown when it has exited.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<int> WaitForExitAsync(CancellationToken cancellationToken = default)
    {
        int code = await _exit.WaitAsync(cancellationToken).ConfigureAwait(false);
        return _isOverTime ? throw new TimeoutException($"{this} ran longer than {_options.TimeLimit} and was killed.") : code;
    }

    /// <summary>Reads the child's standard error to its end, from now on, and keeps only the last part of it.</summary>
    /// <param name="keep">How many bytes are kept at most.</param>
    /// <returns>The last bytes. What is usually there to explain an exit code.</returns>
    /// <remarks>
    /// Begins at once, whether awaited or not, so that the child never waits for its errors to be read. It reads
    /// <see cref="StandardError"/>, so nothing else may. If that is closed first, the task completes with what had been read.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="keep"/> is negative.</exception>
    /// <exception cref="InvalidOperationException">It is not redirected, or another read is pending.</exception>
    public Task<byte[]> DrainErrorAsync(int keep = 16 * 1024)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(keep);
        return Tail.ReadAsync(StandardError, keep);
    }

    /// <summary>Requests the child to end (SIGTERM), as an init system does. It may refuse. Does nothing once it has exited.</summary>
    public void Terminate()
    {
        // The platform's answer is the latest: it must not be the ID of another process by now.
        if (!HasExited && !Process.HasExited) Signals.Terminate(Id);
    }

    /// <summary>Kills the child and its descendants (SIGKILL). Does nothing once the child has exited.</summary>
    /// <remarks>
    /// Descendants are found by their parents, so one whose parent has already exited is not among them. Returns at once; await
    /// <see cref="WaitForExitAsync"/> for the exit.
    /// </remarks>
    public void Kill()
    {
        try
        {
            Process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // The child has exited meanwhile, or a descendant belongs to another user.
        }
    }

    /// <summary>Requests the child to end, and kills it with its descendants if it has not ended after a time.</summary>
    /// <param name="grace">
    /// How long it has, on the clock of the loop. Zero kills it at once; with <see cref="Timeout.InfiniteTimeSpan"/> it is not killed.
    /// </param>
    /// <returns>The exit code. Never fails with <see cref="TimeoutException"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="grace"/> is negative.</exception>
    /// <exception cref="ObjectDisposedException">
    /// The loop has been disposed, so nothing measures the time. The child has been requested to end; <see cref="Kill"/> works still.
    /// </exception>
    public Task<int> StopAsync(TimeSpan grace)
    {
        TimeLimit.CheckNotNegative(grace, nameof(grace));
        return StopCoreAsync(grace);
    }

    private async Task<int> StopCoreAsync(TimeSpan grace)
    {
        if (grace != TimeSpan.Zero)
        {
            Terminate();
            using IDisposable kill = _loop.CallLater(grace, () => Task.Run(Kill));
            return await _exit.ConfigureAwait(false);
        }

        Kill();
        return await _exit.ConfigureAwait(false);
    }

    /// <summary>
    /// Closes the streams, and kills the child if it still runs (see <see cref="ChildProcessOptions.KillOnDispose"/>). Does not wait.
    /// </summary>
    public void Dispose()
    {
        _timeLimit?.Dispose();
        if (_options.KillOnDispose && !HasExited) Kill();
        CloseStreams();
    }

    /// <summary>As <see cref="Dispose"/>, and waits until a killed child has exited.</summary>
    public async ValueTask DisposeAsync()
    {
        Dispose();
        if (_options.KillOnDispose) await _exit.ConfigureAwait(false);
    }

    /// <summary>The name of the program and the process ID.</summary>
    public override string ToString() => $"{nameof(ChildProcess)} {Id} ({_name})";

    private async Task<int> NoticeExitAsync()
    {
        // The platform waits for the pipes as well only if it reads them.
        await Process.WaitForExitAsync().ConfigureAwait(false);
        _timeLimit?.Dispose();
        if (_options.OutputEndsAtExit)
        {
            _output?.EndWhenEmpty();
            _error?.EndWhenEmpty();
        }

        return Process.ExitCode;
    }

    private void EndByTimeLimit()
    {
        if (HasExited) return;
        _isOverTime = true;
        // Not on the loop: finding the descendants reads all of /proc.
        Task.Run(Kill);
    }

    private void CloseStreams()
    {
        _input?.Dispose();
        _output?.Dispose();
        _error?.Dispose();
    }

    private bool Redirects(StandardStreams stream) => (_options.Redirect & stream) != 0;

    private static InvalidOperationException NotRedirected(StandardStreams stream) =>
        new($"The child's standard {stream.ToString().ToLowerInvariant()} is not redirected (see {nameof(ChildProcessOptions.Redirect)}).");
}
