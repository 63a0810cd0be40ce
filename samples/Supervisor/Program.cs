using System.CommandLine;
using System.Runtime.InteropServices;
using Supervisor;
using Waterspout;

Argument<string[]> commands = new("commands") { Description = "Commands for the shell, each of which is kept running." };
Option<int> restarts = new("--restarts") { Description = "How often each may be started again.", DefaultValueFactory = _ => 5 };
Option<double> grace = new("--grace") { Description = "Seconds between SIGTERM and SIGKILL.", DefaultValueFactory = _ => 5 };
RootCommand command = new("Keeps programs running, and prints what they print with their names.") { commands, restarts, grace };
command.SetAction(arguments =>
{
    using CancellationTokenSource stop = new();
    using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
    using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
    Policy policy = new(arguments.GetValue(restarts), TimeSpan.FromSeconds(arguments.GetValue(grace)));
    string[] lines = arguments.GetValue(commands) is { Length: > 0 } given ? given : ["echo working; sleep 0.1; echo failing >&2; exit 3", "echo done"];

    using IOLoop loop = new();
    int[] codes = loop.RunSync(() => Task.WhenAll(lines.Select((line, i) => new Service($"{i + 1}", line, policy).RunAsync(stop.Token))));
    return codes.Max();

    void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true; // the children are stopped first
        stop.Cancel();
    }
});
return command.Parse(args).Invoke();
