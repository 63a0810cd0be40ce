using Waterspout.Loop;
using Waterspout.Reads;

namespace Waterspout;

/// <summary>The receiving half of a connection: received and unread data, the pending read, and how the read gets its bytes.</summary>
/// <remarks>
/// <para>Theory of operation. At most one read is pending, and only a pending read makes the connection receive: without one, nothing is
/// taken from the kernel, whose full buffer then holds the peer back.</para>
/// <para>The life of a read: it begins within its call, and is tried there. Either it finishes at once, and the call takes its outcome; or it
/// waits. One that waits is detached when it has its outcome (finished, failed, cancelled or timed out), and the owner then wakes its
/// awaiter. So code that sets an outcome finds the read here, and never one that has been detached.</para>
/// <para>While user code (a parser, an expression) uses the buffer, nothing else may read. That code may close the connection: the pending
/// read is completed when it has returned.</para>
/// </remarks>
internal partial struct ReadHalf()
{
    private readonly ReadBuffer _buffer = new();
    private BufferLoan? _loan; // after the first one
    private ushort _lastReceived; // in units, rounded up
    private Uses _uses;
    private ByteBudget _budget = new();

    // One byte for all: with it, what an idle stream notes for those who inspect it takes eight bytes.
    [Flags]
    private enum Uses : byte
    {
        Parsing = 1,
        Streaming = 2,
        ResumeQueued = 4,
    }

    /// <summary>Received and unread data. Takes it back if it is lent.</summary>
    internal readonly ReadBuffer Buffer
    {
        get
        {
            if (_loan is { IsLent: true } loan) loan.End();
            return _buffer;
        }
    }

    /// <summary>Threads other than the owner's may read from the buffer.</summary>
    internal readonly bool IsLent => _loan is { IsLent: true };

    /// <summary>The pending read, or the one that is being tried.</summary>
    internal ReadOperation? Pending { readonly get; private set; }

    /// <summary>The time limits of reads; null if they have not been needed yet.</summary>
    internal ReadClock? Clock { readonly get; set; }

    /// <summary>User code uses the buffer.</summary>
    internal bool IsParsing { readonly get => Has(Uses.Parsing); set => Set(Uses.Parsing, value); }

    /// <summary>A streaming read is pending, and is between two pieces.</summary>
    internal bool IsStreaming { readonly get => Has(Uses.Streaming); set => Set(Uses.Streaming, value); }

    /// <summary>The budget was spent, and the owner continues in the next turn.</summary>
    internal bool IsResumeQueued { readonly get => Has(Uses.ResumeQueued); set => Set(Uses.ResumeQueued, value); }

    /// <summary>Bytes received since the connection began.</summary>
    internal long Received { readonly get; private set; }

    /// <summary>When the pending read began to wait.</summary>
    internal Moment PendingSince { readonly get; set; }

    /// <summary>When bytes were last transferred, in either direction: it is kept here, where there is room for it.</summary>
    internal Moment LastProgress { readonly get; set; }

    /// <summary>No read is under way, nor a sequence of them.</summary>
    internal readonly bool IsFree => Pending is null && !IsStreaming;

    /// <summary>A read begins, and is tried within its call.</summary>
    internal void Begin(ReadOperation read) => Pending = read;

    /// <summary>The read that has finished within its call.</summary>
    internal ValueTask<T> Take<T>(ReadOperation<T> read)
    {
        Pending = null;
        return read.TakeResult();
    }

    /// <summary>The read waits from now on. What it does not need meanwhile is released.</summary>
    internal void Wait(ReadOperation read, Moment now, CancellationToken cancellationToken)
    {
        read.RegisterCancellation(cancellationToken);
        PendingSince = now;
        // A read of another kind that needs more than the buffered data will most likely consume all of it.
        if (!read.KeepsView) Buffer.View?.Release();
        Buffer.Trim();
    }

    /// <summary>The pending read is this use of the object: not a later one, nor one that has been detached.</summary>
    internal readonly bool IsPending(ReadOperation read, short version) => Pending == read && read.Version == version;

    /// <summary>The pending read ends without a result, and without losing a byte.</summary>
    internal ReadOperation Abandon(Exception error)
    {
        ReadOperation read = Pending!;
        Fail(read, error);
        Detach(read);
        return read;
    }

    /// <summary>Lets a read check the buffer. A limit that the stream survives fails the read.</summary>
    internal ReadProgress Run(ReadOperation read, IOStreamOptions options)
    {
        ReadProgress progress = Run(read, isEof: false);
        if (progress == ReadProgress.Unsatisfiable && options.OnReadLimit == ReadLimitAction.Keep)
        {
            Fail(read, LimitError(read));
            return ReadProgress.Finished;
        }

        bool isFull = progress == ReadProgress.Pending && Buffer.Length > options.BufferLimit && !read.LeavesBuffer;
        return isFull ? ReadProgress.BufferFull : progress;
    }

    /// <summary>The error of a read that is longer than its caller allows.</summary>
    internal static UnsatisfiableReadException LimitError(ReadOperation read) =>
        new($"{read.Unit} is longer than {read.Limit} bytes, which is the limit. Nothing of it has been read.");

    /// <summary>Lets a read take what there is, since nothing more will arrive.</summary>
    internal ReadProgress RunAtEof(ReadOperation read) => Run(read, isEof: true);

    /// <summary>
    /// Fails a read. The bytes it had taken are returned to the buffer, unless they are in the caller's memory and that can no longer be
    /// used.
    /// </summary>
    internal readonly void Fail(ReadOperation read, Exception error)
    {
        try
        {
            read.Unread(Buffer);
        }
        catch (Exception unusable)
        {
            error = unusable;
        }

        read.Fail(error);
    }

    /// <summary>Something is buffered. What is lent stays lent: its reader notifies the owner when it has taken everything.</summary>
    internal readonly bool HasData => BufferedBytes > 0;

    /// <summary>The number of bytes that are buffered. What is lent stays lent.</summary>
    internal readonly int BufferedBytes => IsLent ? _loan!.LengthOf(_buffer) : _buffer.Length;

    /// <summary>Lends what is buffered to other threads, until <see cref="Buffer"/> is used.</summary>
    internal void Lend()
    {
        if (Buffer.Length == 0) return;
        _loan ??= new BufferLoan();
        _loan.Begin();
    }

    /// <inheritdoc cref="BufferLoan.TryRead"/>
    internal readonly bool TryReadLent<T>(ReadOperation<T> read, out ValueTask<T> result, out bool isEmpty) =>
        _loan!.TryRead(_buffer, read, out result, out isEmpty);

    /// <inheritdoc cref="BufferLoan.TryTake"/>
    internal readonly bool TryTakeLent<TRead, T>(TRead read, out ValueTask<T> result, out bool isEmpty)
        where TRead : IBufferedRead<T>, allows ref struct => _loan!.TryTake(_buffer, read, out result, out isEmpty);

    /// <summary>Holds no more memory than the unread data needs.</summary>
    internal readonly void Trim()
    {
        if (!IsLent) _buffer.Trim();
    }

    /// <summary>The pending read has its outcome.</summary>
    internal void Detach(ReadOperation read)
    {
        Pending = null;
        read.UnregisterCancellation();
        Clock?.Stop();
    }

    private readonly bool Has(Uses use) => (_uses & use) != 0;

    private void Set(Uses use, bool value) => _uses = value ? _uses | use : _uses & ~use;

    private ReadProgress Run(ReadOperation read, bool isEof)
    {
        ReadBuffer buffer = Buffer;
        IsParsing = true;
        try
        {
            return isEof ? read.TryFinishAtEof(buffer) : read.TryFinish(buffer);
        }
        catch (Exception error)
        {
            // The user's parser, expression or memory failed. Only this read is affected.
            Fail(read, error);
            return ReadProgress.Finished;
        }
        finally
        {
            IsParsing = false;
        }
    }
}
