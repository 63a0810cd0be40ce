using Microsoft.Win32.SafeHandles;

namespace Waterspout.Processes;

/// <summary>
/// The end of a pipe into which a child writes. It can end while other processes still hold the pipe: when the child has exited.
/// </summary>
/// <remarks>
/// What a child has written is in the pipe before its exit can be noticed. So once the child has exited, an empty pipe means that
/// nothing of
/// it follows, and the read that finds it empty is EOF.
/// </remarks>
internal sealed class ChildOutput(SafePipeHandle handle, IOStreamOptions? options, IOLoop loop)
    : PipeIOStream(handle, options, loop)
{
    private volatile bool _hasExited;

    /// <inheritdoc/>
    protected override DescriptorTraits Traits => DescriptorTraits.Exact;

    /// <summary>The child has exited. May be called from any thread.</summary>
    internal void EndWhenEmpty()
    {
        _hasExited = true;
        NotifyReadyLater(IOEvents.Read | IOEvents.ReadClosed);
    }

    /// <inheritdoc/>
    protected override int? ReadFromFd(Span<byte> buffer) => base.ReadFromFd(buffer) ?? (_hasExited ? 0 : null);
}
