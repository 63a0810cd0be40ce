using Microsoft.Extensions.Logging;
using Waterspout;

namespace Snippets;

internal static class Logs
{
    internal static void Configure(ILoggerFactory loggerFactory)
    {
        IOLoopOptions options = new() { LoggerFactory = loggerFactory };
        IOLoop.ConfigureDefault(options);   // at the start of the program, for whatever names no loop
        using IOLoop loop = new(options);   // or for a loop of one's own; an IOLoopGroup takes them too
    }
}
