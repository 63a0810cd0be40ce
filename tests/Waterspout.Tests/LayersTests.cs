using System.Reflection;
using System.Text.RegularExpressions;
using Waterspout.Interop;

namespace Waterspout.Tests;

/// <summary>The table of layers on the architecture page is what the code keeps to.</summary>
public sealed partial class LayersTests
{
    // Who may name a type of a layer above all the same, and why.
    private static readonly (string User, string Used, string Reason)[] s_exceptions =
    [
        ("IOStream", "SslIOStream", "StartTlsAsync: the upgrade is a method of the stream that is upgraded"),
        ("IOStream", "ServerAuthentication", "StartTlsAsync"),
        ("BaseIOStream", "DuplexAdapters", "AsStream and AsDuplexPipe: the hand-over is a method of the stream that is handed over"),
    ];

    private static readonly Rooms s_rooms = new(typeof(IOLoop).Assembly);

    [Fact]
    public void Each_layer_names_only_those_before_it()
    {
        Dictionary<string, (string Layer, int Rank)> layers = ReadTable();
        List<string> wrong = [];
        foreach ((Type user, Type used, string member) in Uses())
        {
            (string layer, int rank) = layers[s_rooms.Of(user)!];
            (string layerOfUsed, int rankOfUsed) = layers[s_rooms.Of(used)!];
            if (rankOfUsed > rank && !IsException(user, used))
                wrong.Add($"{Name(user)} (layer {layer}) names {Name(used)} (layer {layerOfUsed}) at {member}");
        }

        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong.Distinct().Order()));
    }

    [Fact]
    public void Each_exception_is_still_needed() => Assert.All(s_exceptions, exception =>
        Assert.Contains(Uses(), use => Name(use.User) == exception.User && Name(use.Used) == exception.Used));

    [Fact]
    public void Each_room_is_in_the_table()
    {
        string[] rooms = [.. typeof(IOLoop).Assembly.GetTypes().Select(s_rooms.Of).OfType<string>().Distinct().Order()];
        Assert.Equal(ReadTable().Keys.Order(), rooms);
    }

    // In the sources, since the compiler copies constants into their users.
    [Fact]
    public void Above_the_pollers_nothing_names_a_number_of_the_system()
    {
        string root = Path.GetDirectoryName(Repository.PathOf("src/Waterspout/Waterspout.csproj"))!;
        IEnumerable<string> wrong =
            from file in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
            let path = Path.GetRelativePath(root, file)
            where path.Split(Path.DirectorySeparatorChar)[0] is not ("Interop" or "Polling" or "obj" or "bin")
            from line in File.ReadLines(file)
            where SystemNumber().IsMatch(line)
            select $"{path}: {line.Trim()}";
        Assert.Empty(wrong);
    }

    // A number would fit wherever another integer is meant. Public members have numbers all the same, as Tornado and the platform do.
    [Fact]
    public void Above_the_pollers_a_descriptor_is_no_number()
    {
        IEnumerable<string> wrong =
            from path in Directory.EnumerateFiles(Path.GetDirectoryName(Repository.PathOf("src/Directory.Build.props"))!, "*.cs", SearchOption.AllDirectories)
            where !path.Split(Path.DirectorySeparatorChar).Any(static folder => folder is "Interop" or "Polling" or "obj" or "bin")
            from line in File.ReadLines(path)
            where DescriptorAsNumber().IsMatch(line) && !PublicMember().IsMatch(line)
            select $"{Path.GetFileName(path)}: {line.Trim()}";
        Assert.Empty(wrong);
    }

    // Where the public API has a number: who makes a descriptor of one, or asks for it.
    [Fact]
    public void Numbers_become_descriptors_where_the_public_API_has_numbers()
    {
        IEnumerable<string> users =
            from user in typeof(IOLoop).Assembly.GetTypes()
            where s_rooms.Of(user) is not (null or "Interop" or "Polling")
            from use in TypeUses.MembersIn(user)
            where use.Member.DeclaringType == typeof(Descriptor) && use.Member is ConstructorInfo or MethodInfo { Name: "get_Number" }
            select Name(user);
        Assert.Equal(
            ["BaseIOStream", "DescriptorHandler", "IOLoop", "IOStream", "PipeIOStream", "SystemdSockets"],
            users.Distinct().Order());
    }

    private static IEnumerable<(Type User, Type Used, string Member)> Uses() =>
        from user in typeof(IOLoop).Assembly.GetTypes()
        where s_rooms.Of(user) is not null
        from use in TypeUses.Of(user)
        where s_rooms.Of(use.Type) is not null
        select (user, use.Type, use.Member);

    private static bool IsException(Type user, Type used) =>
        s_exceptions.Any(exception => exception.User == Name(user) && exception.Used == Name(used));

    private static string Name(Type type)
    {
        while (type.DeclaringType is { } outer) type = outer;
        return type.Name.Split('`')[0];
    }

    /// <summary>For each room its layer, and the row of that: | name | `Room`, `Room` | ...</summary>
    private static Dictionary<string, (string Layer, int Rank)> ReadTable()
    {
        string page = File.ReadAllText(Repository.PathOf("docs/architecture.md"));
        string section = page[page.IndexOf("## Layers", StringComparison.Ordinal)..page.IndexOf("## A turn of the loop", StringComparison.Ordinal)];
        return Row().Matches(section)
            .SelectMany(static (row, rank) => Room().Matches(row.Groups[2].Value).Select(room => (Room: room.Groups[1].Value, Layer: row.Groups[1].Value, rank)))
            .ToDictionary(static entry => entry.Room, static entry => (entry.Layer, entry.rank));
    }

    [GeneratedRegex(@"^\| ([\w ,]+) \| ((?:`\w+`(?:, )?)+) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"\b(LibC\.|Errno\.E)")]
    private static partial Regex SystemNumber();

    [GeneratedRegex(@"\bint\??(\[\])? (_?fd|\w*(?<!From|To)Fd|_?\w*[dD]escriptor|fileno|Fileno)\b|Action<int>|Func<int, ")]
    private static partial Regex DescriptorAsNumber();

    [GeneratedRegex(@"^ *(public|protected) [^_]*\b(Fileno|fd)\b")]
    private static partial Regex PublicMember();

    [GeneratedRegex(@"`(\w+)`")]
    private static partial Regex Room();
}
