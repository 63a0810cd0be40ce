using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Waterspout;
using Waterspout.Hosting;

namespace LineService;

/// <summary>Answers each line with the name of the client that has sent it.</summary>
internal sealed partial class LineHandler(ILogger<LineHandler> logger) : IStreamHandler
{
    private const int LongestLine = 4096;

    public async Task HandleAsync(IOStream stream, CancellationToken stopping)
    {
        string client = ((SslIOStream)stream).RemoteCertificate!.GetNameInfo(X509NameType.SimpleName, forIssuer: false);
        int lines = 0;
        try
        {
            while (await stream.ReadLineAsync(maxBytes: LongestLine, cancellationToken: stopping) is { } line)
            {
                lines++;
                await stream.WriteLineAsync($"{client}: {line}", cancellationToken: CancellationToken.None);
            }
        }
        catch (OperationCanceledException)
        {
            await stream.WriteLineAsync("goodbye", cancellationToken: CancellationToken.None);
        }
        catch (UnsatisfiableReadException)
        {
            await stream.WriteLineAsync("line too long", cancellationToken: CancellationToken.None);
        }
        finally
        {
            LogServed(client, lines);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Client} has sent {Lines} lines.")]
    private partial void LogServed(string client, int lines);
}
