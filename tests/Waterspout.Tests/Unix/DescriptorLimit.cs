using System.Runtime.InteropServices;
using Waterspout.Interop;

namespace Waterspout.Tests;

/// <summary>Takes all free descriptors of the process but a few, until it is disposed.</summary>
internal sealed partial class DescriptorLimit : IDisposable
{
    private const int RLIMIT_NOFILE = 7;

    private readonly Limits _before;
    private readonly List<int> _taken = [];

    private DescriptorLimit(int free)
    {
        Assert.Equal(0, getrlimit(RLIMIT_NOFILE, out _before));
        int highest = Directory.GetFiles("/proc/self/fd").Max(static path => int.Parse(Path.GetFileName(path)));
        Assert.Equal(0, setrlimit(RLIMIT_NOFILE, _before with { Soft = (nuint)highest + 10 }));
        for (int fd = dup(2); fd >= 0; fd = dup(2)) _taken.Add(fd);
        for (int i = 0; i < free; i++) CloseOne();
    }

    private record struct Limits(nuint Soft, nuint Hard);

    internal static DescriptorLimit LeaveFree(int count) => new(count);

    public void Dispose()
    {
        while (_taken.Count > 0) CloseOne();
        Assert.Equal(0, setrlimit(RLIMIT_NOFILE, _before));
    }

    private void CloseOne()
    {
        FileDescriptors.Close(new Descriptor(_taken[^1]));
        _taken.RemoveAt(_taken.Count - 1);
    }

    [LibraryImport("libc")]
    private static partial int dup(int fd);

    [LibraryImport("libc")]
    private static partial int getrlimit(int resource, out Limits limits);

    [LibraryImport("libc")]
    private static partial int setrlimit(int resource, in Limits limits);
}
