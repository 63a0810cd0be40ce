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

internal sealed class PipeLink : ILink
{
    private readonly NetworkStream _stream;
    private readonly PipeReader _reader;
    private readonly PipeWriter _writer;
    private ReadOnlySequence<byte> _data;
    private bool _isRead;

    internal PipeLink(Socket socket)
    {
        _stream = new NetworkStream(socket, ownsSocket: true);
        _reader = PipeReader.Create(_stream);
        _writer = PipeWriter.Create(_stream);
    }

    public async Task BeginAsync() => await WriteAsync("echo\n\n"u8.ToArray());

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> command) => await _writer.WriteAsync(command);

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

            if (_isRead) _reader.AdvanceTo(_data.Start, _data.End);
            _data = (await _reader.ReadAsync()).Buffer;
            _isRead = true;
        }
    }

    public async Task EndAsync()
    {
        await _reader.CompleteAsync();
        await _writer.CompleteAsync();
    }
}
