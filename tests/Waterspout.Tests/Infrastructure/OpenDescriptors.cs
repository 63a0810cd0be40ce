using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Waterspout.Tests;

/// <summary>The open sockets, pipes, pollers and the like of the process, to find those that a test leaks.</summary>
/// <remarks>Regular files do not count: the runtime opens them whenever it loads assemblies.</remarks>
public sealed partial class OpenDescriptors
{
    // A thread that the runtime starts, for example in the thread pool, opens a pipe for a moment to probe its stack. Leaked descriptors
    // stay.
    private static readonly TimeSpan s_moment = TimeSpan.FromSeconds(1);

    // The lowest free number is always used first. So unless thousands are closed at once, numbers in use are close together.
    private const int MostUnused = 1024;

    // More than the limit of descriptors would be refused.
    private const int BlockSize = 256;
    private const short Unused = 0x20; // POLLNVAL

    private const int EmptyPath = 0x1000;
    private const uint BasicStats = 0x7ff;
    private const int TypeMask = 0xf000;
    private const int RegularFile = 0x8000;
    private const int Folder = 0x4000;
    private const int Device = 0x2000;

    private readonly HashSet<(int Number, ulong Node)> _open = List();

    // What .NET opens once, at first use, and keeps is opened before the first count.
    static OpenDescriptors()
    {
        _ = IOLoop.Default;
        Console.Error.Flush(); // a duplicate of the process's descriptor, which counts if it is a pipe
        PosixSignalRegistration.Create(PosixSignal.SIGHUP, static _ => { }).Dispose();
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        using TcpClient client = new();
        Task<Socket> accept = listener.AcceptSocketAsync();
        client.ConnectAsync((IPEndPoint)listener.LocalEndpoint).GetAwaiter().GetResult();
        accept.GetAwaiter().GetResult().Dispose();
    }

    /// <summary>The current number.</summary>
    public static int Count => List().Count;

    /// <summary>Fails if there is a descriptor that was not there when this object was created.</summary>
    public void CheckNothingIsLeft()
    {
        HashSet<(int Number, ulong Node)> left = FindNew();
        SpinWait.SpinUntil(() =>
        {
            if (left.Count > 0) left.IntersectWith(FindNew());
            return left.Count == 0;
        }, s_moment);
        Assert.True(left.Count == 0, $"Descriptors were left open: {string.Join(", ", left.Select(static each => Describe(each.Number)))}");
    }

    private static string Describe(int number) => $"{number} {new FileInfo($"/proc/self/fd/{number}").LinkTarget}";

    private HashSet<(int Number, ulong Node)> FindNew()
    {
        HashSet<(int Number, ulong Node)> found = List();
        found.ExceptWith(_open);
        return found;
    }

    // poll says of a block of numbers at once which are open. A listing of /proc/self/fd takes 2 ms, and each test needs two.
    private static HashSet<(int Number, ulong Node)> List()
    {
        HashSet<(int, ulong)> open = [];
        Span<Polled> block = stackalloc Polled[BlockSize];
        for (int first = 0, unused = 0; unused < MostUnused; first += BlockSize)
        {
            unused += BlockSize;
            for (int i = 0; i < BlockSize; i++) block[i] = new Polled { Number = first + i };
            Assert.True(Poll(block, BlockSize, 0) >= 0, "poll has failed.");
            foreach (Polled polled in block)
            {
                if ((polled.Found & Unused) != 0) continue;
                unused = 0;
                // One that another thread has closed meanwhile is not open.
                if (StatX(polled.Number, "", EmptyPath, BasicStats, out FileStatus status) == 0 && (status.Mode & TypeMask) is not (RegularFile or Folder or Device))
                    open.Add((polled.Number, status.Node));
            }
        }

        return open;
    }

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(Span<Polled> descriptors, nuint count, int timeout);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int directory, string path, int flags, uint mask, out FileStatus status);

    private struct Polled
    {
        internal int Number;
        internal short Wanted;
        internal short Found;
    }

    // The same on every architecture, unlike that of fstat.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct FileStatus
    {
        [FieldOffset(28)]
        internal ushort Mode;

        [FieldOffset(32)]
        internal ulong Node;
    }
}
