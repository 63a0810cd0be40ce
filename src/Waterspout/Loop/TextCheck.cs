namespace Waterspout.Loop;

/// <summary>Checks of names and paths.</summary>
internal static class TextCheck
{
    /// <summary>The system would take what precedes the NUL: another file, or another host, than the one that the caller has checked.</summary>
    internal static void NoNul(string text, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(text, parameter);
        if (text.Contains('\0')) throw new ArgumentException("It contains a NUL.", parameter);
    }
}
