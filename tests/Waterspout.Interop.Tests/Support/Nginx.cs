using System.Net;
using System.Net.Sockets;

namespace Waterspout.Interop.Tests;

/// <summary>An nginx on a free port, with a folder of its own.</summary>
internal sealed class Nginx : IAsyncDisposable
{
    private readonly string _program = Tool.Require("nginx");
    private readonly string _folder = Directory.CreateTempSubdirectory("waterspout-nginx-").FullName;

    internal Nginx() => Directory.CreateDirectory(Root);

    /// <summary>The folder that is served.</summary>
    internal string Root => Path.Combine(_folder, "www");

    internal string Url { get; private set; } = "";

    /// <summary>Starts it. It goes into the background by itself once it listens.</summary>
    internal async Task StartAsync()
    {
        int port = FindFreePort();
        Url = $"http://127.0.0.1:{port}";
        await File.WriteAllTextAsync(Path.Combine(_folder, "nginx.conf"), Configuration(port));
        Child.Outcome started = await Child.RunAsync("/bin/sh", "-c", $"{Command} >{_folder}/out 2>&1");
        Assert.True(started.ExitCode == 0, await File.ReadAllTextAsync(Path.Combine(_folder, "out")));
    }

    public async ValueTask DisposeAsync()
    {
        await Child.RunAsync("/bin/sh", "-c", $"{Command} -s stop >/dev/null 2>&1");
        Directory.Delete(_folder, recursive: true);
    }

    private string Command => $"{_program} -p {_folder} -c {_folder}/nginx.conf";

    private static int FindFreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    // Started by root it would give its rights up, and with them the access to the folder.
    private string Configuration(int port) => $$"""
        {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
        worker_processes 1; pid {{_folder}}/pid; error_log {{_folder}}/errors;
        events { worker_connections 64; }
        http {
          access_log off;
          client_body_temp_path {{_folder}}/t1; proxy_temp_path {{_folder}}/t2; fastcgi_temp_path {{_folder}}/t3;
          uwsgi_temp_path {{_folder}}/t4; scgi_temp_path {{_folder}}/t5;
          server {
            listen 127.0.0.1:{{port}};
            root {{Root}};
            location /list/ { autoindex on; }
            location /nothing { return 204; }
          }
        }
        """;
}
