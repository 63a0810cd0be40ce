namespace Waterspout;

/// <summary>The standard streams of a process.</summary>
[Flags]
public enum StandardStreams
{
    /// <summary>None of them.</summary>
    None = 0,

    /// <summary>What it reads by default, descriptor 0.</summary>
    Input = 1,

    /// <summary>Where it writes by default, descriptor 1.</summary>
    Output = 2,

    /// <summary>Where it writes its errors, descriptor 2.</summary>
    Error = 4,

    /// <summary>All three.</summary>
    All = Input | Output | Error,
}
