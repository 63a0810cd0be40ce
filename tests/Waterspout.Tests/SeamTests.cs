using System.Reflection;

namespace Waterspout.Tests;

/// <summary>A stream of the library over something else is made of the members that a user's class has.</summary>
public sealed class SeamTests
{
    private static readonly Rooms s_rooms = new(typeof(IOLoop).Assembly);

    [Theory]
    [InlineData("Tls")]
    [InlineData("Wrapping")]
    public void A_room_above_the_streams_calls_no_member_of_theirs_that_a_user_cannot_call(string room) => Assert.Empty(
        from user in TypesOf(room)
        from use in TypeUses.MembersIn(user)
        where IsOfStreams(use.Member.DeclaringType) && IsHidden(use.Member)
        select $"{user.Name}.{use.User} uses {use.Member.DeclaringType!.Name}.{use.Member.Name}");

    [Theory]
    [InlineData("Tls")]
    [InlineData("Wrapping")]
    public void A_room_above_the_streams_overrides_no_member_of_theirs_that_a_user_cannot_override(string room) => Assert.Empty(
        from type in TypesOf(room)
        from method in type.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.DeclaredOnly)
        let overridden = method.GetBaseDefinition()
        where overridden != method && IsOfStreams(overridden.DeclaringType) && IsHidden(overridden)
        select $"{type.Name} overrides {overridden.DeclaringType!.Name}.{overridden.Name}");

    private static Type[] TypesOf(string room) => [.. typeof(IOLoop).Assembly.GetTypes().Where(type => s_rooms.Of(type) == room)];

    private static bool IsOfStreams(Type? type) => type == typeof(BaseIOStream) || type == typeof(IOStream);

    private static bool IsHidden(MemberInfo member) => member switch
    {
        MethodBase method => method.IsAssembly || method.IsFamilyAndAssembly,
        FieldInfo field => field.IsAssembly || field.IsFamilyAndAssembly,
        _ => false,
    };
}
