using System.Diagnostics.CodeAnalysis;
using Microsoft.Win32.SafeHandles;

namespace Waterspout;

/// <summary>Handles that have been received and not taken. May be used from any thread.</summary>
internal sealed class ReceivedHandles
{
    private readonly Queue<SafeFileHandle> _handles = new();
    private bool _isClosed;

    internal int Count
    {
        get
        {
            lock (_handles) return _handles.Count;
        }
    }

    /// <summary>Takes over received descriptors. If there are too many, or the stream is closed, they are closed.</summary>
    /// <returns>False if there are too many.</returns>
    internal bool Add(int[] descriptors, int limit)
    {
        SafeFileHandle[] added = Array.ConvertAll(descriptors, static fd => new SafeFileHandle(fd, ownsHandle: true));
        lock (_handles)
        {
            bool fits = _handles.Count + added.Length <= limit;
            foreach (SafeFileHandle handle in added)
            {
                if (fits && !_isClosed) _handles.Enqueue(handle);
                else handle.Dispose();
            }

            return fits || _isClosed;
        }
    }

    internal bool TryTake([NotNullWhen(true)] out SafeFileHandle? handle)
    {
        lock (_handles) return _handles.TryDequeue(out handle);
    }

    /// <summary>Closes what has not been taken, and what still arrives.</summary>
    internal void Close()
    {
        lock (_handles)
        {
            _isClosed = true;
            while (_handles.TryDequeue(out SafeFileHandle? handle)) handle.Dispose();
        }
    }
}
