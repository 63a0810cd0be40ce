namespace Waterspout.Connecting;

/// <summary>What has taken over the descriptor of a stream. Any thread may call it.</summary>
internal interface ITaker
{
    /// <summary>It has closed, or is failing.</summary>
    bool IsOver { get; }

    /// <summary>Sends what the system accepts at once, and closes now.</summary>
    void Close();

    /// <summary>Closes in an orderly way. Completes when everything has been sent.</summary>
    Task CloseAsync();
}
