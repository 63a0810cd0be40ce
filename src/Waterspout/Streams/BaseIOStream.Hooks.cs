using System.Runtime.CompilerServices;

namespace Waterspout;

public abstract partial class BaseIOStream
{
    // For each derived class, since a delegate and its method cost a stream more than all else in its constructor.
    private static readonly ConditionalWeakTable<Type, object> s_hasOwnHooks = [];

    private delegate int? ReadHook(Span<byte> buffer);

    private delegate int? WriteHook(ReadOnlySpan<byte> data);

    private delegate int? GatherHook(ReadOnlySpan<ReadOnlyMemory<byte>> pieces);

    /// <summary>A hook that reads or writes is another one than that of <paramref name="owner"/>: this class, or one between them, overrides it.</summary>
    private bool OverridesHooksOf(Type owner)
    {
        Type type = GetType();
        if (type == owner) return false;
        if (s_hasOwnHooks.TryGetValue(type, out object? known)) return (bool)known;
        // Of a delegate, and not by the name of the method: so nothing of it is lost when a program is trimmed.
        Delegate[] hooks = [new ReadHook(ReadFromFd), new WriteHook(WriteToFd), new GatherHook(WriteToFd)];
        bool overrides = Array.Exists(hooks, hook => hook.Method.DeclaringType != owner);
        s_hasOwnHooks.TryAdd(type, overrides);
        return overrides;
    }
}
