using System.Globalization;

namespace Waterspout.Bench.SideBySide;

/// <summary>The command line.</summary>
internal sealed record Options
{
    internal const string Usage = """
        dotnet run -c Release --project bench/SideBySide -- [options]
          (nothing)               every workload, in half an hour to an hour
          --quick                 the workloads and peers that matter most, in under three minutes
          --full                  more rounds, and the points that take long
          --only NAME,...         these workloads or families; a part of a name will do. Others stay in the report
          --peers PEER,...        these peers
          --rounds N              interleaved rounds, whose medians are reported (5; quick 3, full 9)
          --seconds S             the length of one measurement (0.5; quick 0.3, full 1.5)
          --before FOLDER         our peers also as another checkout has built them, named NAME-before
          --results FOLDER        where to write (bench/results)
          --report                measure nothing, and write the report of what has been measured
          --list                  name the workloads and peers, and stop
        """;

    internal Level Level { get; private init; } = Level.Default;

    internal bool List { get; private init; }

    internal bool ReportOnly { get; private init; }

    internal string[]? Only { get; private init; }

    internal string[]? Peers { get; private init; }

    internal string? Before { get; private init; }

    internal string? Results { get; private init; }

    internal int Rounds { get; private init; } = 5;

    internal double Seconds { get; private init; } = 0.5;

    /// <summary>How much CPU time runtimes that compile at run time get before they are measured.</summary>
    internal double Warm { get; private init; } = 2;

    /// <summary>Null if the arguments cannot be parsed.</summary>
    internal static Options? Parse(string[] args)
    {
        Options? options = new();
        if (args.Contains("--quick")) options = options with { Level = Level.Quick, Rounds = 3, Seconds = 0.3, Warm = 1.2 };
        if (args.Contains("--full")) options = options with { Level = Level.Full, Rounds = 9, Seconds = 1.5, Warm = 3 };
        for (int i = 0; i < args.Length && options is not null; i++)
            options = options.WithFlag(args[i]) ?? (i + 1 < args.Length ? options.With(args[i], args[++i]) : null);
        return options;
    }

    private Options? WithFlag(string name) => name switch
    {
        "--quick" or "--full" => this,
        "--list" => this with { List = true },
        "--report" => this with { ReportOnly = true },
        _ => null,
    };

    private Options? With(string name, string value) => name switch
    {
        "--only" => this with { Only = value.Split(',') },
        "--peers" => this with { Peers = value.Split(',') },
        "--before" => this with { Before = Path.GetFullPath(value) },
        "--results" => this with { Results = value },
        "--rounds" when int.TryParse(value, out int rounds) && rounds > 0 => this with { Rounds = rounds },
        "--seconds" when TryParse(value, out double seconds) && seconds > 0 => this with { Seconds = seconds },
        _ => null,
    };

    private static bool TryParse(string text, out double number) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number);
}
