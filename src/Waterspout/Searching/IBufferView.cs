namespace Waterspout.Searching;

/// <summary>Another form of what is buffered, kept from one read to the next, and released with the data.</summary>
internal interface IBufferView
{
    /// <summary>Memory is rented.</summary>
    bool HoldsMemory { get; }

    /// <summary>Returns the rented memory.</summary>
    void Release();
}
