using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Waterspout.Hosting;

/// <summary>Healthy while the server listens and each of its loops answers.</summary>
internal sealed class TcpServiceHealth(TcpService service) : IHealthCheck
{
    // A loop answers within microseconds. One that does not within seconds is blocked by a handler, and serves no connection.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (!service.IsListening) return Fail(context, "The server does not listen.");
        foreach (IOLoop loop in service.Loops)
        {
            try
            {
                await loop.InvokeAsync(static () => Task.CompletedTask).WaitAsync(s_patience, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error) when (error is TimeoutException or ObjectDisposedException)
            {
                return Fail(context, $"The loop '{loop.Name}' does not answer.", error);
            }
        }

        return HealthCheckResult.Healthy(string.Create(CultureInfo.InvariantCulture, $"{service.ConnectionCount} connections"));
    }

    private static HealthCheckResult Fail(HealthCheckContext context, string description, Exception? error = null) =>
        new(context.Registration.FailureStatus, description, error);
}
