using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Waterspout.Kestrel.Tests;

internal static class Waiting
{
    /// <summary>Long enough for any machine: only a test that fails waits for it.</summary>
    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    internal static Task<T> InTime<T>(this Task<T> task) => task.WaitAsync(Limit);

    internal static Task InTime(this Task task) => task.WaitAsync(Limit);

    /// <summary>Looks until it is so, for what another program or library does without an event.</summary>
    internal static async Task BecomesTrueAsync(Func<bool> condition)
    {
        using CancellationTokenSource limit = new(Limit);
        while (!condition()) await Task.Delay(5, limit.Token);
    }

    /// <summary>The subject of the certificate that these tests make themselves.</summary>
    internal const string Subject = "CN=localhost";

    /// <summary>Trusts that certificate.</summary>
    internal static bool IsOurs(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) => certificate!.Subject == Subject;

    /// <summary>Completes when the token is cancelled.</summary>
    internal static Task Cancelled(this CancellationToken token)
    {
        TaskCompletionSource cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        token.Register(cancelled.SetResult);
        return cancelled.Task;
    }

    /// <summary>A certificate for localhost that its own key has signed.</summary>
    internal static X509Certificate2 CreateCertificate()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new(Subject, key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
