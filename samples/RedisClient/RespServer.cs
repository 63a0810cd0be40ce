using System.Globalization;
using System.Text;
using Waterspout;

namespace RedisClient;

/// <summary>The few commands that the demonstration needs, for a machine without Redis.</summary>
internal sealed class RespServer
{
    // All connections are on one loop.
    private readonly Dictionary<string, string> _values = [];

    internal async Task ServeAsync(IOStream stream, CancellationToken stopping)
    {
        while (await stream.ReadMessageAsync<object?>(Resp.TryParse, maxBytes: 1024 * 1024, stopping) is object?[] command)
            await stream.WriteAsync(Answer([.. command.OfType<byte[]>().Select(Encoding.UTF8.GetString)]), cancellationToken: CancellationToken.None);
    }

    private string Answer(string[] command) => command switch
    {
        ["PING"] => "+PONG\r\n",
        ["SET", string key, string value] => Set(key, value, "+OK\r\n"),
        ["DEL", string key] => _values.Remove(key) ? ":1\r\n" : ":0\r\n",
        ["GET", string key] => _values.TryGetValue(key, out string? value) ? $"${Encoding.UTF8.GetByteCount(value)}\r\n{value}\r\n" : "$-1\r\n",
        ["INCR", string key] when long.TryParse(_values.GetValueOrDefault(key, "0"), CultureInfo.InvariantCulture, out long number) =>
            Set(key, $"{number + 1}", $":{number + 1}\r\n"),
        ["INCR", _] => "-ERR value is not an integer or out of range\r\n",
        _ => "-ERR unknown command\r\n",
    };

    private string Set(string key, string value, string answer)
    {
        _values[key] = value;
        return answer;
    }
}
