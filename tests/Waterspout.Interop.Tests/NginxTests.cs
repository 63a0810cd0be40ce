namespace Waterspout.Interop.Tests;

/// <summary>The HttpFetch sample against nginx. The expected output is curl's.</summary>
public sealed class NginxTests
{
    private static readonly string s_program = Repository.Sample("HttpFetch");

    [Theory]
    [InlineData("/index.html", "200 OK")]
    [InlineData("/list/", "200 OK")]
    [InlineData("/missing", "404 Not Found")]
    [InlineData("/nothing", "204 No Content")]
    public async Task Gets_the_same_body_as_curl(string path, string status)
    {
        await using Nginx nginx = new();
        await File.WriteAllTextAsync(Path.Combine(nginx.Root, "index.html"), "<h1>A small page.</h1>\n");
        Directory.CreateDirectory(Path.Combine(nginx.Root, "list", "folder"));
        await nginx.StartAsync();
        await AssertSameAsCurlAsync(nginx.Url + path, status, []);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    public async Task Gets_a_page_over_TLS_from_a_server_that_is_trusted_and_from_no_other(string host)
    {
        await using Nginx nginx = new();
        byte[] page = new byte[1_000_000];
        new Random(1).NextBytes(page);
        await File.WriteAllBytesAsync(Path.Combine(nginx.Root, "page"), page);
        await nginx.StartAsync(isSecure: true);
        string url = nginx.SecureUrl.Replace("127.0.0.1", host) + "/page";
        await AssertSameAsCurlAsync(url, "200 OK", [("SSL_CERT_FILE", nginx.Certificate), ("CURL_CA_BUNDLE", nginx.Certificate)]);

        Child.Outcome refused = await Child.RunAsync(s_program, url);
        Assert.Contains("certificate", refused.Errors);
        Assert.Equal(1, refused.Errors.Count(character => character == '\n'));
        Assert.Empty(refused.Output);
        Assert.Equal(1, refused.ExitCode);
    }

    [Fact]
    public async Task Gets_50_MB_with_a_heap_of_16_MB()
    {
        await using Nginx nginx = new();
        byte[] large = new byte[50_000_000];
        new Random(1).NextBytes(large);
        await File.WriteAllBytesAsync(Path.Combine(nginx.Root, "large"), large);
        await nginx.StartAsync();
        await AssertSameAsCurlAsync(nginx.Url + "/large", "200 OK", [("DOTNET_GCHeapHardLimit", "0x1000000")]);
    }

    private static async Task AssertSameAsCurlAsync(string url, string status, (string, string)[] environment)
    {
        using Child curl = Child.Start(Tool.Require("curl"), ["--silent", "--show-error", "--http1.1", url], environment);
        Child.Outcome expected = await curl.FinishAsync([]);
        Assert.Equal("", expected.Errors);
        Assert.Equal(0, expected.ExitCode);

        using Child child = Child.Start(s_program, [url], environment);
        Child.Outcome fetched = await child.FinishAsync([]);
        Assert.Equal("", fetched.Errors);
        Assert.Equal(0, fetched.ExitCode);
        Assert.True(fetched.Output.AsSpan().StartsWith(System.Text.Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\n")));
        int head = fetched.Output.AsSpan().IndexOf("\r\n\r\n"u8) + 4;
        Assert.True(fetched.Output.AsSpan(head).SequenceEqual(expected.Output), "The body is not what curl got.");
    }
}
