using System.Runtime.CompilerServices;

namespace Waterspout.Diagnostics;

/// <summary>Somebody who calls a function of the user's.</summary>
internal interface ICaller
{
    Delegate? Function { get; }
}

/// <summary>What a callback is called in a log: the method that it was written in.</summary>
internal static class CallbackName
{
    internal static string Of(object? callback) => callback switch
    {
        null => "unknown",
        ICaller { Function: { } function } => Of(function),
        Delegate { Target: { } target } when StateMachineOf(target.GetType()) is { } machine => OfMember(machine.DeclaringType, machine.Name),
        Delegate function => OfMember(function.Method.DeclaringType, function.Method.Name),
        ITuple { Length: > 0 } state => Of(state[0]), // of a call with more than one thing
        BaseIOStream stream => stream.ToString()!,
        _ when StateMachineOf(callback.GetType()) is { } machine => OfMember(machine.DeclaringType, machine.Name),
        _ => callback.GetType().Name,
    };

    // An async method that waits is an object of a generic class of the runtime's, with the compiler's type for the method as its last argument.
    private static Type? StateMachineOf(Type type) =>
        type.IsGenericType && type.GenericTypeArguments is [.., Type last] && last.IsAssignableTo(typeof(IAsyncStateMachine)) ? last : null;

    /// <summary>The compiler's names are those of the method in angle brackets: &lt;Main&gt;b__0, &lt;Main&gt;g__Local|0, &lt;&lt;Main&gt;b__0&gt;d.</summary>
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
