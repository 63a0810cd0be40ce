using System.Diagnostics;
using System.Reflection;

namespace Waterspout.Tests;

/// <summary>Every option is checked by the call that takes it: the error has the parameter, the option and its range.</summary>
/// <remarks>The options are found by reflection, so a new one is checked, or is listed with the reason why any value is right.</remarks>
public sealed class OptionRangeTests : LoopTest
{
    private static readonly Dictionary<Type, Action<object>> s_uses = new()
    {
        [typeof(IOStreamOptions)] = static options => Use((IOStreamOptions)options),
        [typeof(KeepAlive)] = static options => Use(new IOStreamOptions { KeepAlive = (KeepAlive)options }),
        [typeof(TcpServerOptions)] = static options => Use((TcpServerOptions)options),
        [typeof(ProxyProtocolOptions)] = static options => Use(new TcpServerOptions { Proxy = (ProxyProtocolOptions)options }),
        [typeof(IOLoopOptions)] = static options => new IOLoop((IOLoopOptions)options).Dispose(),
        [typeof(ChildProcessOptions)] = static options => ChildProcess.Start(new ProcessStartInfo("true"), (ChildProcessOptions)options).Dispose(),
        [typeof(TerminalOptions)] = static options =>
            PipeIOStream.Open("/dev/ptmx", FileAccess.ReadWrite, terminal: (TerminalOptions)options).Dispose(),
    };

    // What looks out of range, and is not.
    private static readonly Dictionary<string, string> s_right = new()
    {
        ["IOStreamOptions.WriteHighWaterMark = 0"] = "a write completes when everything has been sent",
        ["IOLoopOptions.BusyPoll = 00:00:00"] = "off",
        ["IOLoopOptions.StallThreshold = 00:00:00"] = "off",
        ["IOLoopOptions.Name = "] = "any text is a name",
    };

    public static TheoryData<string> Options => [.. s_uses.Keys.SelectMany(static type => Settable(type)).Select(static option => Name(option))];

    [Theory]
    [MemberData(nameof(Options))]
    public void An_option_out_of_range_is_refused_by_name(string name) => Run(() =>
    {
        PropertyInfo option = s_uses.Keys.SelectMany(Settable).Single(option => Name(option) == name);
        foreach (object? value in OutOfRange(option))
        {
            object options = Activator.CreateInstance(option.DeclaringType!)!;
            option.SetValue(options, value);
            string setting = $"{name} = {value ?? "null"}";
            Exception? error = Record.Exception(() => s_uses[option.DeclaringType!](options));
            if (s_right.ContainsKey(setting))
            {
                Assert.Null(error);
                continue;
            }

            ArgumentException refused = Assert.IsAssignableFrom<ArgumentException>(error);
            Assert.Equal(option.DeclaringType == typeof(TerminalOptions) ? "terminal" : "options", refused.ParamName);
            Assert.Contains(option.Name, refused.Message, StringComparison.Ordinal);
        }

        return Task.CompletedTask;
    });

    [Fact]
    public void Every_class_of_options_is_checked() => Assert.Equal(
        s_uses.Keys.Where(static type => type != typeof(KeepAlive)).Select(static type => type.Name).Order(),
        typeof(IOLoop).Assembly.GetExportedTypes().Select(static type => type.Name).Where(static name => name.EndsWith("Options", StringComparison.Ordinal)).Order());

    [Fact]
    public void Every_reason_is_for_an_option_that_there_is() =>
        Assert.All(s_right.Keys, static setting => Assert.Contains(setting.Split(" = ")[0], Options.Select(static row => row.Data)));

    [Theory]
    [MemberData(nameof(Options))]
    public void The_largest_value_of_an_option_works_or_is_refused_by_name(string name) => Run(async () =>
    {
        PropertyInfo option = s_uses.Keys.SelectMany(Settable).Single(option => Name(option) == name);
        if (Largest(Nullable.GetUnderlyingType(option.PropertyType) ?? option.PropertyType) is not { } value) return;
        object options = Activator.CreateInstance(option.DeclaringType!)!;
        option.SetValue(options, value);
        Exception? error = Record.Exception(() => s_uses[option.DeclaringType!](options));
        if (error is not null)
        {
            // A terminal has its own limits.
            if (option.DeclaringType == typeof(TerminalOptions)) Assert.IsAssignableFrom<IOException>(error);
            else Assert.Contains(option.Name, Assert.IsAssignableFrom<ArgumentException>(error).Message, StringComparison.Ordinal);
        }
        else if (options is IOStreamOptions streams)
        {
            await ExchangeAsync(streams);
        }
    });

    private static async Task ExchangeAsync(IOStreamOptions options)
    {
        (IOStream near, IOStream far) = IOStream.CreatePair(options);
        await near.WriteAsync("over any\n"u8);
        Assert.Equal("over any", await far.ReadLineAsync());
        near.Close();
        Assert.Empty(await far.ReadUntilCloseAsync());
    }

    private static void Use(IOStreamOptions options)
    {
        (PipeIOStream reader, PipeIOStream writer) = PipeIOStream.CreatePair(options);
        reader.Dispose();
        writer.Dispose();
    }

    private static void Use(TcpServerOptions options) => new TcpServer(static _ => Task.CompletedTask, options).DisposeAsync().AsTask().GetAwaiter().GetResult();

    private static IEnumerable<PropertyInfo> Settable(Type type) => type.GetProperties().Where(static property => property.CanWrite && property.SetMethod!.IsPublic);

    private static string Name(PropertyInfo option) => $"{option.DeclaringType!.Name}.{option.Name}";

    private static IEnumerable<object?> OutOfRange(PropertyInfo option)
    {
        Type type = Nullable.GetUnderlyingType(option.PropertyType) ?? option.PropertyType;
        if (type == typeof(int)) return [0, -1, int.MinValue];
        if (type == typeof(long)) return [0L, -1L, long.MinValue];
        if (type == typeof(TimeSpan)) return [TimeSpan.Zero, TimeSpan.FromTicks(-1), TimeSpan.FromSeconds(-1), TimeSpan.MinValue];
        if (type.IsEnum) return [Enum.ToObject(type, Enum.GetUnderlyingType(type) == typeof(byte) ? 99 : 1 << 20), Enum.ToObject(type, -1)];
        if (type == typeof(bool)) return [];
        bool mayBeNull = new NullabilityInfoContext().Create(option).WriteState == NullabilityState.Nullable;
        IEnumerable<object?> wrong = mayBeNull ? [] : [null];
        return type == typeof(string) ? wrong.Append("") : wrong;
    }

    private static object? Largest(Type type) => Type.GetTypeCode(type) switch
    {
        _ when type.IsEnum => null,
        TypeCode.Int32 => int.MaxValue,
        TypeCode.Int64 => long.MaxValue,
        _ when type == typeof(TimeSpan) => TimeSpan.MaxValue,
        _ => null,
    };
}
