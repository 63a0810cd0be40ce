using System.Runtime.InteropServices;
using Waterspout.Interop;

namespace Waterspout;

/// <summary>Handles that wait to be sent, each group beside the byte at its position. Used on the loop, except where it says so.</summary>
internal sealed class HandlesToSend
{
    private readonly LinkedList<(long Position, HeldHandles Handles)> _waiting = new();

    internal bool IsEmpty => _waiting.Count == 0;

    internal void Add(long position, HeldHandles handles) => _waiting.AddLast((position, handles));

    /// <summary>The write was refused.</summary>
    internal void RemoveLast(HeldHandles handles)
    {
        if (_waiting.Last is { } last && last.Value.Handles == handles) _waiting.RemoveLast();
        handles.Release();
    }

    /// <summary>The handles for the next byte, if it has any; and how many bytes may be sent with or before them in one call.</summary>
    internal HeldHandles? At(long position, ref int length)
    {
        LinkedListNode<(long Position, HeldHandles Handles)>? next = _waiting.First;
        HeldHandles? found = null;
        if (next is not null && next.Value.Position == position)
        {
            found = next.Value.Handles;
            next = next.Next;
        }

        if (next is not null) length = (int)Math.Min(length, next.Value.Position - position);
        return found;
    }

    /// <summary>The first group has been sent: the kernel has references of its own.</summary>
    internal void RemoveFirst()
    {
        _waiting.First!.Value.Handles.Release();
        _waiting.RemoveFirst();
    }

    /// <summary>Nothing more is sent.</summary>
    internal void Clear()
    {
        while (!IsEmpty) RemoveFirst();
    }
}

/// <summary>Handles whose descriptors stay open until they have been sent, also if their owner disposes them meanwhile.</summary>
internal sealed class HeldHandles
{
    private readonly SafeHandle[] _handles;
    private int _isReleased;

    private HeldHandles(SafeHandle[] handles) => _handles = handles;

    internal ReadOnlySpan<int> Descriptors => Array.ConvertAll(_handles, static handle => (int)handle.DangerousGetHandle());

    /// <summary>Checks and holds them, or throws and holds none.</summary>
    internal static HeldHandles Hold(IReadOnlyList<SafeHandle> handles, string parameter)
    {
        ArgumentNullException.ThrowIfNull(handles, parameter);
        if (handles.Count is 0 or > DescriptorMessages.MostAtOnce)
        {
            throw new ArgumentOutOfRangeException(
                parameter, handles.Count, $"One message takes 1 to {DescriptorMessages.MostAtOnce} handles.");
        }

        SafeHandle[] held = [.. handles];
        foreach (SafeHandle handle in held)
        {
            ArgumentNullException.ThrowIfNull(handle, parameter);
            if (handle.IsInvalid) throw new ArgumentException("A handle has no descriptor.", parameter);
        }

        for (int i = 0; i < held.Length; i++) AddReference(held, i);
        return new HeldHandles(held);
    }

    /// <summary>Releases them, once. May be called from any thread.</summary>
    internal void Release()
    {
        if (Interlocked.Exchange(ref _isReleased, 1) == 0) Release(_handles, _handles.Length);
    }

    private static void AddReference(SafeHandle[] handles, int index)
    {
        try
        {
            bool isAdded = false;
            handles[index].DangerousAddRef(ref isAdded);
        }
        catch
        {
            // It is closed.
            Release(handles, index);
            throw;
        }
    }

    private static void Release(SafeHandle[] handles, int count)
    {
        for (int i = 0; i < count; i++) handles[i].DangerousRelease();
    }
}
