using Waterspout.Interop;

namespace Waterspout.Tests;

/// <summary>A descriptor that is readable when, and as long as, a test wants it.</summary>
internal sealed class TestEventFd : IDisposable
{
    private readonly EventFd _event = new();

    internal int Fd => _event.Fd.Number;

    internal void Signal() => _event.Signal();

    internal void Clear() => Assert.True(FileDescriptors.Read(_event.Fd, new byte[8]).IsSuccess);

    public void Dispose() => _event.Dispose();
}
