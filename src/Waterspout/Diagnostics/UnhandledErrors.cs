namespace Waterspout.Diagnostics;

/// <summary>What becomes of an exception that no code of the user's has handled, besides its line in the log.</summary>
internal static class UnhandledErrors
{
    /// <summary>The default of <see cref="IOLoopOptions.UnhandledException"/>.</summary>
    internal static Action<Exception> WriteToStandardError { get; } = static error => Write($"Waterspout: an exception was not handled.{Environment.NewLine}{error}{Environment.NewLine}");

    /// <summary>Calls the handler. One that fails itself ends nothing, and is not silent either.</summary>
    internal static void Report(Action<Exception>? handler, Exception error)
    {
        try
        {
            handler?.Invoke(error);
        }
        catch (Exception failure)
        {
            Write($"Waterspout: the handler of unhandled exceptions failed.{Environment.NewLine}{failure}{Environment.NewLine}It was given: {error}{Environment.NewLine}");
        }
    }

    // One call, so that what several threads write is not mixed.
    private static void Write(string text)
    {
        try
        {
            Console.Error.Write(text);
        }
        catch (Exception)
        {
            // Standard error is closed, or its reader has ended. There is no other place.
        }
    }
}
