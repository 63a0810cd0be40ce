using Waterspout.Interop;
using Waterspout.Loop;
using Waterspout.Polling;

namespace Waterspout;

// Pipes and files that the library opens itself.
public partial class PipeIOStream
{
    /// <summary>A new pipe: what is written to one end is read from the other.</summary>
    /// <param name="options">Limits and settings of both; null for the defaults.</param>
    /// <param name="loop">The loop of both; <see cref="IOLoop.Current"/> when null.</param>
    public static (PipeIOStream Reader, PipeIOStream Writer) CreatePair(IOStreamOptions? options = null, IOLoop? loop = null) =>
        MakePair(FileDescriptors.CreatePipe(), fd => new PipeIOStream(fd, null, options, loop, mayBeFile: false));

    /// <summary>Opens a FIFO, a terminal or a serial line.</summary>
    /// <param name="path">The path of the file. <c>/dev/tty</c> is the terminal that the program was started from.</param>
    /// <param name="access">
    /// Reading a FIFO sees EOF while there is no writer, also before the first one; opening it for reading and writing keeps it open.
    /// </param>
    /// <param name="options">Limits and settings; null for the defaults.</param>
    /// <param name="loop">The loop that the stream belongs to; <see cref="IOLoop.Current"/> when null.</param>
    /// <param name="terminal">Raw mode and speed, until the stream closes or the process ends. Null changes nothing.</param>
    /// <remarks>
    /// Does not block: opening a FIFO without a reader for writing fails with ENXIO. A terminal does not become the controlling one.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// The file cannot be polled: a regular file, a directory, /dev/null. Or it is no terminal, but has <paramref name="terminal"/>.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range, or <paramref name="access"/> is.</exception>
    /// <exception cref="IOException">The file cannot be opened, or the terminal does not run at the speed.</exception>
    public static PipeIOStream Open(
        string path, FileAccess access, IOStreamOptions? options = null, IOLoop? loop = null, TerminalOptions? terminal = null)
    {
        TextCheck.NoNul(path, nameof(path));
        terminal?.Validate(nameof(terminal));
        return FileDescriptors.HandOver(FileDescriptors.Open(path, OpenMode.For(access)), fd =>
        {
            bool isTerminal = FileDescriptors.IsTerminal(fd);
            if (terminal is not null && !isTerminal) throw new ArgumentException($"{path} is not a terminal.", nameof(terminal));
            if (FileDescriptors.IsAlwaysReady(fd)) throw new ArgumentException($"{path} cannot be polled: {PollerFactory.AlwaysReady}", nameof(path));
            PipeIOStream stream = new(fd, null, options, loop, mayBeFile: false);
            // Undone when the stream closes, as when it fails to be set.
            return terminal is null ? stream : stream.With(terminal);
        });
    }

    private PipeIOStream With(TerminalOptions terminal)
    {
        try
        {
            TerminalMode.Enter(_fd, terminal.Raw, terminal.Speed);
            return this;
        }
        catch
        {
            Close();
            throw;
        }
    }
}
