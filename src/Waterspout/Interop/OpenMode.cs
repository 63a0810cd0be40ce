namespace Waterspout.Interop;

/// <summary>How a file was opened: what a descriptor's status flags say.</summary>
/// <param name="Flags">The flags, as the system has them.</param>
internal readonly record struct OpenMode(int Flags)
{
    /// <summary>It can only be written to.</summary>
    internal bool IsWriteOnly => (Flags & LibC.O_ACCMODE) == LibC.O_WRONLY;

    /// <summary>
    /// The most that one read returns, if the file keeps the boundaries of packets and drops the rest of a longer one; otherwise 0.
    /// </summary>
    internal int LargestPacket => (Flags & LibC.O_DIRECT) != 0 ? LibC.PIPE_BUF : 0;

    /// <summary>That of an open file.</summary>
    internal static OpenMode Of(Descriptor fd) => new(FileDescriptors.GetStatusFlags(fd).ValueOrThrow("fcntl"));

    /// <summary>For a file that is opened without blocking, and without becoming the controlling terminal.</summary>
    internal static OpenMode For(FileAccess access) => new(LibC.O_NONBLOCK | LibC.O_NOCTTY | access switch
    {
        FileAccess.Read => LibC.O_RDONLY,
        FileAccess.Write => LibC.O_WRONLY,
        FileAccess.ReadWrite => LibC.O_RDWR,
        _ => throw new ArgumentOutOfRangeException(nameof(access)),
    });
}
