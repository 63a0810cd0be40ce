using System.Reflection;
using System.Reflection.Emit;

namespace Waterspout.Tests;

/// <summary>The types that a type names, and where: in its bases, its fields, the signatures of its methods, and their code.</summary>
/// <remarks>Constants are not seen: the compiler puts in their values.</remarks>
internal static class TypeUses
{
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> s_opCodes = typeof(OpCodes).GetFields()
        .Select(static field => (OpCode)field.GetValue(null)!)
        .ToDictionary(static code => code.Value);

    internal static IEnumerable<(Type Type, string Member)> Of(Type user)
    {
        IEnumerable<(Type? Type, string Member)> uses =
        [
            (user.BaseType, "its base"),
            .. user.GetInterfaces().Select(static type => ((Type?)type, "its interfaces")),
            .. user.GetFields(All).Select(static field => ((Type?)field.FieldType, field.Name)),
            .. Methods(user).SelectMany(OfMethod),
        ];
        return uses.SelectMany(static use => Parts(use.Type).Select(part => (part, use.Member))).Distinct();
    }

    /// <summary>The members that the code of a type names, and where.</summary>
    internal static IEnumerable<(MemberInfo Member, string User)> MembersIn(Type user) =>
        from method in Methods(user)
        where method.GetMethodBody() is not null
        from member in MembersIn(method, method.GetMethodBody()!)
        select (member, method.Name);

    private static IEnumerable<MethodBase> Methods(Type user) => [.. user.GetMethods(All), .. user.GetConstructors(All)];

    private static IEnumerable<(Type? Type, string Member)> OfMethod(MethodBase method)
    {
        IEnumerable<Type?> types = method.GetParameters().Select(static parameter => (Type?)parameter.ParameterType);
        if (method is MethodInfo function) types = types.Append(function.ReturnType);
        if (method.GetMethodBody() is { } body) types = types.Concat(body.LocalVariables.Select(static local => local.LocalType)).Concat(InCode(method, body));
        return types.Select(type => (type, method.Name));
    }

    /// <summary>The types in the operands of the instructions: those of members, and what generic methods are made with.</summary>
    private static IEnumerable<Type?> InCode(MethodBase method, MethodBody body) => MembersIn(method, body).SelectMany(static member =>
        (member is MethodInfo { IsGenericMethod: true } called ? called.GetGenericArguments() : []).Prepend(member as Type ?? member.DeclaringType));

    private static IEnumerable<MemberInfo> MembersIn(MethodBase method, MethodBody body)
    {
        Type[] ofType = method.DeclaringType!.GetGenericArguments();
        Type[] ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : [];
        byte[] code = body.GetILAsByteArray()!;
        for (int i = 0; i < code.Length;)
        {
            OpCode instruction = s_opCodes[code[i] == 0xFE ? (short)(0xFE00 | code[++i]) : code[i]];
            i++;
            if (instruction.OperandType is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType)
                yield return method.Module.ResolveMember(BitConverter.ToInt32(code, i), ofType, ofMethod)!;
            i += SizeOfOperand(instruction.OperandType, code, i);
        }
    }

    private static int SizeOfOperand(OperandType type, byte[] code, int at) => type switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, at)),
        _ => 4,
    };

    /// <summary>A type, what it is an array or a reference of, and what it is made with.</summary>
    private static IEnumerable<Type> Parts(Type? type)
    {
        if (type is null || type.IsGenericParameter) return [];
        if (type.GetElementType() is { } element) return Parts(element);
        return type.IsGenericType ? type.GetGenericArguments().SelectMany(Parts).Prepend(type) : [type];
    }
}
