using System.CommandLine;
using StreamTable;
using Waterspout;

Option<bool> once = new("--once") { Description = "Prints the table once, when every situation is there, and exits. Fails if one does not come." };
Option<int> seconds = new("--seconds") { Description = "Ends after this time. Without it, Ctrl+C ends it." };
RootCommand command = new("Shows what each stream of a loop waits for, as a live table.") { once, seconds };
command.SetAction(arguments =>
{
    using IOLoop loop = new();
    return loop.RunSync(async () =>
    {
        await using Situations situations = await Situations.BeginAsync();
        bool isOnce = arguments.GetValue(once);
        for (int time = 1; ; time++)
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
            IReadOnlyList<StreamInfo> streams = loop.GetStreams();
            if (!isOnce) Table.Show(streams);
            if (isOnce && (Situations.AreAllIn(streams) || time == 10))
            {
                Table.Print(streams);
                return Situations.AreAllIn(streams) ? 0 : 1;
            }

            if (time == arguments.GetValue(seconds)) return 0;
        }
    });
});
return command.Parse(args).Invoke();
