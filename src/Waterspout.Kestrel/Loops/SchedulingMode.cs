namespace Waterspout.Kestrel;

/// <summary>Which threads run the application's code for a connection.</summary>
public enum SchedulingMode
{
    /// <summary>
    /// The thread pool: one of its threads runs connection after connection while their code is short, and each connection is a work item
    /// of its own while it is not.
    /// </summary>
    Auto,

    /// <summary>The thread pool, always one work item for each connection that has something to do.</summary>
    ThreadPool,
}
