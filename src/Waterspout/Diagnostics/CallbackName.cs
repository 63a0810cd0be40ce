using System.Runtime.CompilerServices;
using Waterspout.Loop;

namespace Waterspout.Diagnostics;

/// <summary>An object that calls a user's function.</summary>
internal interface ICaller
{
    Delegate Function { get; }
}

/// <summary>The name of a callback in a log: the method in whose source it was written.</summary>
internal static class CallbackName
{
    internal static string Of(object? callback) => callback switch
    {
        null => "unknown",
        ICaller caller => Of(caller.Function),
        Delegate { Target: { } target } when StateMachineOf(target.GetType()) is { } machine =>
            OfMember(machine.DeclaringType, machine.Name),
        Delegate function => OfMember(function.Method.DeclaringType, function.Method.Name),
        ITuple { Length: > 0 } state => Of(state[0]), // of a call with more than one thing
        IReadinessHandler handler => handler.ToString()!,
        _ when StateMachineOf(callback.GetType()) is { } machine => OfMember(machine.DeclaringType, machine.Name),
        _ => callback.GetType().Name,
    };

    // A waiting async method is an object of a generic runtime class whose last type argument is the compiler's type for the method.
    private static Type? StateMachineOf(Type type) =>
        type.IsGenericType && type.GenericTypeArguments is [.., Type last] && last.IsAssignableTo(typeof(IAsyncStateMachine)) ? last : null;

    /// <summary>
    /// The compiler puts the method's name in angle brackets: &lt;Main&gt;b__0, &lt;Main&gt;g__Local|0, &lt;&lt;Main&gt;b__0&gt;d.
    /// </summary>
    private static string OfMember(Type? type, string name)
    {
        while (type is { DeclaringType: { } outer } && type.Name.StartsWith('<')) type = outer;
        string method = name;
        int end = name.IndexOf('>');
        if (end > 0) method = name[..end].TrimStart('<');
        int local = name.IndexOf("g__", StringComparison.Ordinal);
        if (local > 0) method = $"{method}.{name[(local + 3)..name.IndexOf('|', local)]}";
        else if (name.Contains(">b__", StringComparison.Ordinal)) method += " (lambda)";
        return type is null ? method : $"{type.FullName}.{method}";
    }
}
