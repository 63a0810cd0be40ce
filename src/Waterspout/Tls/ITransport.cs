namespace Waterspout.Tls;

/// <summary>The descriptor under TLS. Used on the loop's thread only.</summary>
internal interface ITransport
{
    IOLoop Loop { get; }

    /// <summary>A call that transfers less than it could means that the next one would block.</summary>
    bool ShortMeansBlocked { get; }

    /// <returns>The number of bytes received; null if it would block; 0 at EOF.</returns>
    int? Receive(Span<byte> space);

    /// <returns>The number of bytes sent; null if it would block.</returns>
    int? Send(ReadOnlySpan<byte> data);

    /// <returns>The number of bytes sent; null if it would block.</returns>
    int? Send(ReadOnlySpan<ReadOnlyMemory<byte>> pieces);

    /// <summary>The turn that was waited for has brought nothing: the stream, to which more was announced, has to look again.</summary>
    void OnDeferredInVain();

    /// <summary>A send has failed. Nothing more will be sent.</summary>
    void OnSendFailed();

    /// <summary>A call would block: makes the poller report when it no longer does.</summary>
    void Await(IOEvents events);
}
