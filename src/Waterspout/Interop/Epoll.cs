using System.Runtime.InteropServices;

namespace Waterspout.Interop;

/// <summary>An epoll instance and the native memory in which it returns events.</summary>
internal sealed unsafe class Epoll : IDisposable
{
    // The kernel's epoll_event is packed on x64 alone:
    //
    //     x64          | events:4 | data:8 |             12 bytes
    //     other        | events:4 | pad:4 | data:8 |     16 bytes
    private static readonly int s_dataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int s_eventSize = s_dataOffset + sizeof(ulong);

    private readonly int _capacity;
    private readonly Descriptor _fd;
    private byte* _events;

    internal Epoll(int capacity)
    {
        _capacity = capacity;
        _fd = PosixResult.From(LibC.epoll_create1(LibC.EPOLL_CLOEXEC)).DescriptorOrThrow("epoll_create1");
        // SAFETY: freed in Dispose, which the owner calls once, after the last Wait.
        _events = (byte*)NativeMemory.AllocZeroed((nuint)(capacity * s_eventSize));
    }

    internal PosixResult Add(Descriptor fd, uint events, ulong data) => Control(LibC.EPOLL_CTL_ADD, fd, events, data);

    internal PosixResult Modify(Descriptor fd, uint events, ulong data) => Control(LibC.EPOLL_CTL_MOD, fd, events, data);

    internal PosixResult Remove(Descriptor fd) => Control(LibC.EPOLL_CTL_DEL, fd, 0, 0);

    internal PosixResult Wait(int timeout)
    {
        // SAFETY: the array has room for _capacity events and lives until Dispose.
        return PosixResult.From(LibC.epoll_wait(_fd.Number, _events, _capacity, timeout));
    }

    /// <summary>The event at <paramref name="index"/> of the last <see cref="Wait"/>.</summary>
    internal (uint Events, ulong Data) this[int index]
    {
        get
        {
            // SAFETY: the index is below the count that Wait returned. Packed data may be unaligned, which every architecture supported by
            // .NET can read.
            byte* entry = _events + (index * s_eventSize);
            return (*(uint*)entry, *(ulong*)(entry + s_dataOffset));
        }
    }

    public void Dispose()
    {
        if (_events == null) return;
        FileDescriptors.Close(_fd);
        NativeMemory.Free(_events);
        _events = null;
    }

    private PosixResult Control(int operation, Descriptor fd, uint events, ulong data)
    {
        // SAFETY: the event is on this stack frame, sized for the larger of the two layouts; the kernel copies it.
        byte* entry = stackalloc byte[16];
        *(uint*)entry = events;
        *(ulong*)(entry + s_dataOffset) = data;
        return PosixResult.From(LibC.epoll_ctl(_fd.Number, operation, fd.Number, entry));
    }
}
