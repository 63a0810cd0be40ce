using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;

namespace Waterspout.Bench.OffLoop;

/// <summary>A connection that takes commands and gives lines.</summary>
internal interface ILink
{
    Task BeginAsync();

    /// <summary>One call at a time.</summary>
    ValueTask WriteAsync(ReadOnlyMemory<byte> command);

    /// <returns>The length of the line.</returns>
    ValueTask<int> ReadLineAsync();

    Task EndAsync();
}

internal sealed class StreamLink(Socket socket) : ILink
{
    private readonly IOStream _stream = new(socket, loop: IOLoop.Default);

    public async Task BeginAsync()
    {
        // The peer takes six bytes for what it is to do.
        await _stream.WriteAsync("echo\n\n"u8);
    }

    public ValueTask WriteAsync(ReadOnlyMemory<byte> command) => _stream.WriteAsync(command);

    public ValueTask<int> ReadLineAsync() => _stream.ReadUntilAsync("\n"u8, static line => line.Length);

    public async Task EndAsync() => await _stream.CloseAsync();
}

internal sealed class PipeLink(PipeReader reader, PipeWriter writer) : ILink
{
    private ReadOnlySequence<byte> _data;
    private bool _isRead;

    /// <summary>The platform's, or ours as a stream.</summary>
    internal static PipeLink Over(Stream stream) => new(PipeReader.Create(stream), PipeWriter.Create(stream));

    internal static PipeLink Over(IDuplexPipe pipe) => new(pipe.Input, pipe.Output);

    public async Task BeginAsync() => await WriteAsync("echo\n\n"u8.ToArray());

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> command) => await writer.WriteAsync(command);

    public async ValueTask<int> ReadLineAsync()
    {
        while (true)
        {
            if (_isRead && _data.PositionOf((byte)'\n') is { } end)
            {
                SequencePosition next = _data.GetPosition(1, end);
                int length = (int)_data.Slice(0, next).Length;
                _data = _data.Slice(next);
                return length;
            }

            if (_isRead) reader.AdvanceTo(_data.Start, _data.End);
            _data = (await reader.ReadAsync()).Buffer;
            _isRead = true;
        }
    }

    public async Task EndAsync()
    {
        await reader.CompleteAsync();
        await writer.CompleteAsync();
    }
}
