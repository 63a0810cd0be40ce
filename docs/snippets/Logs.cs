using Microsoft.Extensions.Logging;
using Waterspout;

namespace Snippets;

internal static class Logs
{
    internal static void Configure(ILoggerFactory loggerFactory)
    {
        IOLoopOptions options = new() { LoggerFactory = loggerFactory };
        IOLoop.ConfigureDefault(options);   // at the start of the program, for streams and servers without a loop of their own
        using IOLoop loop = new(options);   // or for your own loop; an IOLoopGroup takes them too
    }

    internal static void Explain(IOLoop loop)
    {
        foreach (StreamInfo stream in loop.GetStreams()) Console.WriteLine(stream);
        // IOStream 12 #3 192.0.2.1:4711: The peer does not read: 65,536 bytes wait to be sent, and none was accepted for 12.0 s.
    }
}
