using System.Text.RegularExpressions;
using Waterspout.Buffers;

namespace Waterspout.Reads;

/// <summary>Everything up to the end of a regular expression's leftmost match in what has arrived so far.</summary>
internal sealed class RegexRead : ReadOperation<byte[]>
{
    private RegexScanner _scanner = null!;
    private int? _maxBytes;

    internal override int? Limit => _maxBytes;

    internal static RegexRead Rent(Regex regex, int? maxBytes)
    {
        RegexRead read = OperationPool<RegexRead>.Rent();
        read._scanner = new RegexScanner(regex);
        read._maxBytes = maxBytes;
        return read;
    }

    internal override ReadProgress TryFinish(ReadBuffer buffer)
    {
        int end;
        try
        {
            end = _scanner.FindEnd(buffer.Data);
        }
        catch (RegexMatchTimeoutException error)
        {
            // The user's own limit on the match. Nothing has been taken, so the stream is as it was.
            Fail(error);
            return ReadProgress.Finished;
        }

        ReadProgress progress = CheckLimits(end < 0 ? buffer.Length : end);
        return end < 0 || progress != ReadProgress.Pending ? progress : Finish(buffer.TakeArray(end));
    }

    protected override void Return()
    {
        _scanner.Release();
        _scanner = null!;
        OperationPool<RegexRead>.Return(this);
    }
}
