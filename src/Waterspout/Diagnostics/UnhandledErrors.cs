namespace Waterspout.Diagnostics;

/// <summary>Reports an exception that no user code has handled, in addition to its line in the log.</summary>
internal static class UnhandledErrors
{
    /// <summary>The default of <see cref="IOLoopOptions.UnhandledException"/>.</summary>
    internal static Action<Exception> WriteToStandardError { get; } =
        static error => Write($"Waterspout: an exception was not handled.{Environment.NewLine}{error}{Environment.NewLine}");

    /// <summary>Calls the handler. A handler that itself throws ends nothing, and is reported too.</summary>
    internal static void Report(Action<Exception>? handler, Exception error)
    {
        try
        {
            handler?.Invoke(error);
        }
        catch (Exception failure)
        {
            string lines = $"{failure}{Environment.NewLine}It was given: {error}{Environment.NewLine}";
            Write($"Waterspout: the handler of unhandled exceptions failed.{Environment.NewLine}{lines}");
        }
    }

    // One call, so that the output of several threads is not mixed.
    private static void Write(string text)
    {
        try
        {
            Console.Error.Write(text);
        }
        catch (Exception)
        {
            // Standard error is closed, or its reader has closed. There is no other place to report to.
        }
    }
}
