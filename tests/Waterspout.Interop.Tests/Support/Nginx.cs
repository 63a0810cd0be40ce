using System.Net;
using System.Net.Sockets;

namespace Waterspout.Interop.Tests;

/// <summary>An nginx on a free port, with its own folder.</summary>
internal sealed class Nginx : IAsyncDisposable
{
    private readonly string _program = Tool.Require("nginx");
    private readonly string _folder = Directory.CreateTempSubdirectory("waterspout-nginx-").FullName;

    internal Nginx() => Directory.CreateDirectory(Root);

    /// <summary>The served folder.</summary>
    internal string Root => Path.Combine(_folder, "www");

    internal string Url { get; private set; } = "";

    /// <summary>The address of the same content over TLS, if it was started with TLS.</summary>
    internal string SecureUrl { get; private set; } = "";

    /// <summary>The certificate, which is not trusted by default.</summary>
    internal string Certificate => Path.Combine(_folder, "certificate.pem");

    /// <summary>Starts it. It goes into the background by itself once it listens.</summary>
    internal async Task StartAsync(bool isSecure = false)
    {
        int port = FindFreePort();
        Url = $"http://127.0.0.1:{port}";
        string secureListener = isSecure ? await PrepareTlsAsync() : "";
        await File.WriteAllTextAsync(Path.Combine(_folder, "nginx.conf"), Configuration(port, secureListener));
        Child.Outcome started = await Child.RunAsync("/bin/sh", "-c", $"{Command} >{_folder}/out 2>&1");
        Assert.True(started.ExitCode == 0, await File.ReadAllTextAsync(Path.Combine(_folder, "out")));
    }

    public async ValueTask DisposeAsync()
    {
        await Child.RunAsync("/bin/sh", "-c", $"{Command} -s stop >/dev/null 2>&1");
        Directory.Delete(_folder, recursive: true);
    }

    private string Command => $"{_program} -p {_folder} -c {_folder}/nginx.conf";

    private async Task<string> PrepareTlsAsync()
    {
        int port = FindFreePort();
        SecureUrl = $"https://127.0.0.1:{port}";
        string key = Path.Combine(_folder, "key.pem");
        Child.Outcome made = await Child.RunAsync(
            Tool.Require("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
            "-subj", "/CN=Waterspout test", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", key, "-out", Certificate);
        Assert.True(made.ExitCode == 0, made.Errors);
        return $"listen 127.0.0.1:{port} ssl http2; ssl_certificate {Certificate}; ssl_certificate_key {key};";
    }

    internal static int FindFreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    // Started by root it would drop its privileges, and with them the access to the folder.
    private string Configuration(int port, string secureListener) => $$"""
        {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
        worker_processes 1; pid {{_folder}}/pid; error_log {{_folder}}/errors;
        events { worker_connections 64; }
        http {
          access_log off;
          client_body_temp_path {{_folder}}/t1; proxy_temp_path {{_folder}}/t2; fastcgi_temp_path {{_folder}}/t3;
          uwsgi_temp_path {{_folder}}/t4; scgi_temp_path {{_folder}}/t5;
          server {
            listen 127.0.0.1:{{port}};
            {{secureListener}}
            root {{Root}};
            location /list/ { autoindex on; }
            location /nothing { return 204; }
          }
        }
        """;
}
