using Microsoft.Extensions.Logging;

namespace Waterspout.Diagnostics;

/// <summary>Logs peer errors: a limited number of lines per second and loop, then only the number left out.</summary>
/// <remarks>Anyone who can connect can cause such a line. They must neither fill a disk nor hide the lines that matter.</remarks>
internal sealed class PeerErrors(IOLoop loop)
{
    /// <summary>Enough to see what happens.</summary>
    internal const int LinesPerSecond = 10;

    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);

    private bool _isCounting;
    private int _count;

    internal void Report(object stream, CloseReason reason, Exception error)
    {
        if (!loop.Logger.IsEnabled(LogLevel.Information)) return;
        if (!_isCounting)
        {
            _isCounting = true;
            loop.CallAt(loop.TicksAfter(s_second), EndSecond);
        }

        if (++_count <= LinesPerSecond) Log.PeerFailed(loop.Logger, stream, reason, Describe(error));
    }

    /// <summary>Logs how many lines were left out, also when the loop ends.</summary>
    internal void EndSecond()
    {
        if (_count > LinesPerSecond) Log.PeerErrorsLeftOut(loop.Logger, loop.Name, _count - LinesPerSecond);
        _isCounting = false;
        _count = 0;
    }

    /// <summary>
    /// The messages of the whole chain: a failed handshake's own message only says that the inner exception has the cause.
    /// </summary>
    private static string Describe(Exception error)
    {
        string text = error.Message;
        while (error.InnerException is { } inner)
        {
            error = inner;
            if (!text.Contains(error.Message, StringComparison.Ordinal)) text = $"{text} {error.Message}";
        }

        return text.ReplaceLineEndings(" ");
    }
}
