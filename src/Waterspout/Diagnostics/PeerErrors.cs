using Microsoft.Extensions.Logging;

namespace Waterspout.Diagnostics;

/// <summary>Logs what peers do wrong: so much a second for each loop, then only how many more there were.</summary>
/// <remarks>Anybody who can connect can cause such a line. A disk must not fill because of that, nor the lines that matter be lost among them.</remarks>
internal sealed class PeerErrors(IOLoop loop)
{
    /// <summary>Enough to see what is going on.</summary>
    internal const int LinesPerSecond = 10;

    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);

    private bool _isCounting;
    private int _count;

    internal void Report(BaseIOStream stream, CloseReason reason, Exception error)
    {
        if (!loop.Logger.IsEnabled(LogLevel.Information)) return;
        if (!_isCounting)
        {
            _isCounting = true;
            loop.CallAt(loop.TicksAfter(s_second), EndSecond);
        }

        if (++_count <= LinesPerSecond) Log.PeerFailed(loop.Logger, stream, reason, Describe(error));
    }

    /// <summary>Says how many lines were left out, also at the end of the loop.</summary>
    internal void EndSecond()
    {
        if (_count > LinesPerSecond) Log.PeerErrorsLeftOut(loop.Logger, loop.Name, _count - LinesPerSecond);
        _isCounting = false;
        _count = 0;
    }

    /// <summary>The messages of all of them: that of a failed handshake says only that the inner one has the reason.</summary>
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
