using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Waterspout.Tests;

/// <summary>The open sockets, pipes, pollers and the like of the process, to find those that a test leaks.</summary>
/// <remarks>Regular files do not count: the runtime opens them whenever it loads assemblies.</remarks>
public sealed class OpenDescriptors
{
    // A thread that the runtime starts, for example in the thread pool, opens a pipe for a moment to probe its stack. Leaked descriptors
    // stay.
    private static readonly TimeSpan s_moment = TimeSpan.FromSeconds(1);

    private readonly HashSet<string> _open = List();

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
        HashSet<string> left = FindNew();
        SpinWait.SpinUntil(() =>
        {
            if (left.Count > 0) left.IntersectWith(FindNew());
            return left.Count == 0;
        }, s_moment);
        Assert.True(left.Count == 0, $"Descriptors were left open: {string.Join(", ", left)}");
    }

    private HashSet<string> FindNew()
    {
        HashSet<string> found = List();
        found.ExceptWith(_open);
        return found;
    }

    private static HashSet<string> List()
    {
        HashSet<string> open = [];
        foreach (FileInfo descriptor in new DirectoryInfo("/proc/self/fd").EnumerateFiles())
        {
            if (TryGetTarget(descriptor) is { } target && !target.StartsWith('/')) open.Add($"{descriptor.Name} {target}");
        }

        return open;
    }

    private static string? TryGetTarget(FileInfo descriptor)
    {
        try
        {
            return descriptor.LinkTarget;
        }
        catch (IOException)
        {
            return null; // closed meanwhile: the directory's own descriptor is
        }
    }
}
