using System.ComponentModel;
using System.Diagnostics;
using System.IO.Pipes;
using Microsoft.Win32.SafeHandles;

namespace Waterspout.Processes;

/// <summary>Our ends of the pipes that the platform makes for a child.</summary>
internal static class ChildPipes
{
    private static readonly Lock s_lock = new();

    internal static SafePipeHandle Input(Process process) => Take(process.StandardInput.BaseStream);

    internal static SafePipeHandle Output(Process process) => Take(process.StandardOutput.BaseStream);

    internal static SafePipeHandle Error(Process process) => Take(process.StandardError.BaseStream);

    /// <summary>Starts the child with these streams redirected. The caller's object is as before afterwards.</summary>
    internal static Process Start(ProcessStartInfo info, StandardStreams redirect)
    {
        // One at a time, since two threads may start the same program with one object.
        lock (s_lock)
        {
            var before = (info.RedirectStandardInput, info.RedirectStandardOutput, info.RedirectStandardError);
            try
            {
                info.RedirectStandardInput = (redirect & StandardStreams.Input) != 0;
                info.RedirectStandardOutput = (redirect & StandardStreams.Output) != 0;
                info.RedirectStandardError = (redirect & StandardStreams.Error) != 0;
                return Process.Start(info) ?? throw new Win32Exception($"'{info.FileName}' was not started.");
            }
            finally
            {
                (info.RedirectStandardInput, info.RedirectStandardOutput, info.RedirectStandardError) = before;
            }
        }
    }

    // A stream over it owns the handle. The platform's object closes it too, which does no harm: a handle is closed once.
    private static SafePipeHandle Take(Stream stream) => stream is PipeStream pipe
        ? pipe.SafePipeHandle
        : throw new PlatformNotSupportedException($"The platform connects children by {stream.GetType()}, which has no descriptor.");
}
