using System.Net;
using Waterspout;

namespace DnsOverTcp;

/// <summary>Answers from a table. Questions of one connection are answered as they come, without waiting for each other.</summary>
internal sealed class NameServer(IReadOnlyDictionary<string, IPAddress[]> table)
{
    internal async Task ServeAsync(IOStream stream, CancellationToken stopping)
    {
        while (true)
        {
            byte[] question = await Resolver.ReadAsync(stream, stopping);
            (string name, ushort type) = Message.ReadQuestion(question);
            await stream.WriteAsync(Resolver.Frame(Message.Answer(question, type, table.GetValueOrDefault(name))), CancellationToken.None);
        }
    }
}
