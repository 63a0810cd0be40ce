using System.CommandLine;
using System.Globalization;
using SerialDevice;
using Waterspout;

Option<string?> device = new("--device") { Description = "A serial line, such as /dev/ttyUSB0; by default a device that this program plays itself." };
Option<int> speed = new("--speed") { Description = "Bits a second.", DefaultValueFactory = _ => 9600 };
Option<int> count = new("--count") { Description = "How often the thermometer is read.", DefaultValueFactory = _ => 8 };
RootCommand command = new("Reads a thermometer on a serial line that loses and damages what it carries.") { device, speed, count };
command.SetAction(arguments =>
{
    using IOLoop loop = new();
    return loop.RunSync(async () =>
    {
        (BaseIOStream line, BaseIOStream? other) = Open(arguments.GetValue(device), arguments.GetValue(speed));
        Task playing = other is null ? Task.CompletedTask : new NoisyDevice(other).RunAsync();
        await using (line) await ReadAsync(line, arguments.GetValue(count));
        await playing;
        return 0;
    });
});
return command.Parse(args).Invoke();

// The settings of a terminal are restored when it is closed, and when the program ends.
static (BaseIOStream Line, BaseIOStream? Other) Open(string? path, int speed)
{
    if (path is not null) return (PipeIOStream.Open(path, FileAccess.ReadWrite, terminal: new TerminalOptions { Raw = true, Speed = speed }), null);
    return IOStream.CreatePair();
}

static async Task ReadAsync(BaseIOStream line, int count)
{
    Thermometer thermometer = new(new FrameLink(line));
    for (int i = 0; i < count; i++)
    {
        double degrees = await thermometer.ReadAsync();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{degrees:F2} degrees"));
    }
}
