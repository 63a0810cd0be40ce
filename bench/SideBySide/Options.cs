using System.Globalization;

namespace Waterspout.Bench.SideBySide;

/// <summary>The command line.</summary>
internal sealed record Options
{
    internal const string Usage = """
        dotnet run -c Release --project bench/SideBySide -- [options]
          --quick                 the workloads and peers that matter most, in under three minutes
          --only WORKLOAD,...     these workloads; a part of a name will do
          --peers PEER,...        these peers
          --rounds N              interleaved rounds, whose medians are reported (8; quick: 3)
          --seconds S             the length of one measurement (1.5; quick: 0.4)
          --list                  name the workloads and peers, and stop
        """;

    internal bool Quick { get; private init; }

    internal bool List { get; private init; }

    internal string[]? Only { get; private init; }

    internal string[]? Peers { get; private init; }

    internal int Rounds { get; private init; } = 8;

    internal double Seconds { get; private init; } = 1.5;

    /// <summary>At least a second: the runtimes that compile as they go need it.</summary>
    internal double Warm => Quick ? 1 : 2;

    /// <summary>Null where the arguments cannot be understood.</summary>
    internal static Options? Parse(string[] args)
    {
        bool quick = args.Contains("--quick");
        Options options = quick ? new Options { Quick = true, Rounds = 3, Seconds = 0.4 } : new Options();
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i] is "--quick") continue;
            if (args[i] is "--list") options = options with { List = true };
            else if (++i == args.Length) return null;
            else if (args[i - 1] is "--only") options = options with { Only = args[i].Split(',') };
            else if (args[i - 1] is "--peers") options = options with { Peers = args[i].Split(',') };
            else if (args[i - 1] is "--rounds" && int.TryParse(args[i], out int rounds) && rounds > 0) options = options with { Rounds = rounds };
            else if (args[i - 1] is "--seconds" && TryParse(args[i], out double seconds) && seconds > 0) options = options with { Seconds = seconds };
            else return null;
        }

        return options;
    }

    private static bool TryParse(string text, out double number) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number);
}
