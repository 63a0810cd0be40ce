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
}
