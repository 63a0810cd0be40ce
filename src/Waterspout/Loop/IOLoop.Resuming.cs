using System.Threading.Tasks.Sources;

namespace Waterspout;

public sealed partial class IOLoop
{
    /// <summary>
    /// Whether an await registered now may resume on the thread that completes it, which is the loop's. If so the flags are changed so that
    /// no context is captured: posting to the loop's context would cost a turn.
    /// </summary>
    internal bool MayResumeInline(ref ValueTaskSourceOnCompletedFlags flags)
    {
        if (!IsCurrent) return false;
        // A synchronization context that the user has set on this thread is respected.
        SynchronizationContext? context = System.Threading.SynchronizationContext.Current;
        if (context is null || context == SynchronizationContext) flags &= ~ValueTaskSourceOnCompletedFlags.UseSchedulingContext;
        return true;
    }
}
