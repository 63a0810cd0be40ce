using System.Runtime.CompilerServices;

namespace Waterspout;

public abstract partial class BaseIOStream
{
    // Cached per derived class, since a delegate and its method cost more than the rest of the constructor.
    private static readonly ConditionalWeakTable<Type, object> s_hasOwnHooks = [];

    private delegate int? ReadHook(Span<byte> buffer);

    private delegate int? WriteHook(ReadOnlySpan<byte> data);

    private delegate int? GatherHook(ReadOnlySpan<ReadOnlyMemory<byte>> pieces);

    /// <summary>True if this class, or one between it and <paramref name="owner"/>, overrides a hook that reads or writes.</summary>
    private bool OverridesHooksOf(Type owner)
    {
        Type type = GetType();
        if (type == owner) return false;
        if (s_hasOwnHooks.TryGetValue(type, out object? known)) return (bool)known;
        // By delegate, not by the name of the method, so that trimming a program keeps it.
        Delegate[] hooks = [new ReadHook(ReadFromFd), new WriteHook(WriteToFd), new GatherHook(WriteToFd)];
        bool overrides = Array.Exists(hooks, hook => hook.Method.DeclaringType != owner);
        s_hasOwnHooks.TryAdd(type, overrides);
        return overrides;
    }
}
