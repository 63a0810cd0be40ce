using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Text.RegularExpressions;

namespace Waterspout.Tests;

/// <summary>The folder below src/Waterspout in which each of the library's types is written, from the debug information.</summary>
/// <remarks>Not the namespace: that of public types is the same in all folders.</remarks>
internal sealed partial class Rooms
{
    // Of the portable PDB format: the documents of a type that has no method with code, an enum for example.
    private static readonly Guid s_typeDocuments = new("932E74BC-DBA9-4478-8D46-0F32A7BAB3D3");

    private readonly Dictionary<Type, string> _ofTypes = [];

    internal Rooms(Assembly assembly)
    {
        using FileStream file = File.OpenRead(Path.ChangeExtension(assembly.Location, ".pdb"));
        using MetadataReaderProvider provider = MetadataReaderProvider.FromPortablePdbStream(file);
        MetadataReader symbols = provider.GetMetadataReader();
        foreach (MethodDebugInformationHandle method in symbols.MethodDebugInformation)
        {
            MethodDebugInformation information = symbols.GetMethodDebugInformation(method);
            if (information.Document.IsNil) continue;
            Type? type = assembly.ManifestModule.ResolveMethod(MetadataTokens.GetToken(method.ToDefinitionHandle()))!.DeclaringType;
            Add(type, symbols, information.Document);
        }

        foreach (CustomDebugInformation information in symbols.CustomDebugInformation.Select(symbols.GetCustomDebugInformation))
        {
            if (information.Parent.Kind != HandleKind.TypeDefinition || symbols.GetGuid(information.Kind) != s_typeDocuments) continue;
            BlobReader documents = symbols.GetBlobReader(information.Value);
            Add(assembly.ManifestModule.ResolveType(MetadataTokens.GetToken(information.Parent)), symbols, MetadataTokens.DocumentHandle(documents.ReadCompressedInteger()));
        }
    }

    /// <summary>Null for a type of another assembly, and for what the compiler has made for all of them.</summary>
    internal string? Of(Type type) => _ofTypes.GetValueOrDefault(Outermost(type));

    /// <summary>Types that are nested, by the user or by the compiler, belong to the one that contains them.</summary>
    private static Type Outermost(Type type)
    {
        while (type.DeclaringType is { } outer) type = outer;
        return type.IsGenericType ? type.GetGenericTypeDefinition() : type;
    }

    private void Add(Type? type, MetadataReader symbols, DocumentHandle document)
    {
        Match room = Folder().Match(symbols.GetString(symbols.GetDocument(document).Name));
        if (type is not null && room.Success) _ofTypes[Outermost(type)] = room.Groups[1].Value;
    }

    [GeneratedRegex(@"src/Waterspout/(\w+)/[^/]+\.cs$")]
    private static partial Regex Folder();
}
