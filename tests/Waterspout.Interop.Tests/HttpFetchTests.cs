using System.Text;
using System.Text.RegularExpressions;

namespace Waterspout.Interop.Tests;

/// <summary>The sample against answers of every shape, good and bad.</summary>
public sealed partial class HttpFetchTests
{
    private static readonly string s_program = Repository.Sample("HttpFetch");

    public static TheoryData<string, string> GoodAnswers => new()
    {
        { "HTTP/1.0 200 OK\r\n\r\nuntil the end\n", "until the end\n" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and what is not part of it", "hello" },
        { "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "" },
        { "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone", "none" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;name=value\r\n, 12345678\r\n0\r\n\r\n", "hello, 12345678" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nTrailer: value\r\n\r\n", "x" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "x" },
        { "HTTP/1.1 204 No Content\r\n\r\n", "" },
        { "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n", "" },
        { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok" },
        { "HTTP/1.0 200 OK\nContent-Length: 2\n\nok", "ok" },
    };

    public static TheoryData<string, string> BadAnswers => new()
    {
        { "", "cut off" },
        { "HTTP/1.1 200 OK\r\nContent-Le", "cut off" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "5 bytes of 10" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "cut off" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "3 bytes of 5" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello, too long\r\n0\r\n\r\n", "longer than its size" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n", "without a size" },
        { "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", "Content-Length" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12", "Content-Length" },
        { "SSH-2.0-OpenSSH_9.2\r\n\r\n", "status line" },
        { "HTTP/1.1 200 OK\r\nno header\r\n\r\n", "colon" },
    };

    [Theory]
    [MemberData(nameof(GoodAnswers))]
    public async Task Prints_the_head_and_the_body_as_they_come(string answer, string body)
    {
        using CannedServer server = new(Encoding.Latin1.GetBytes(answer));
        Child.Outcome fetched = await Child.RunAsync(s_program, server.Url);
        string printed = Encoding.Latin1.GetString(fetched.Output);
        string head = Head().Match(answer.Replace("HTTP/1.1 100 Continue\r\n\r\n", "")).Value;
        Assert.Equal(head + body, printed);
        Assert.Equal("", fetched.Errors);
        Assert.Equal(0, fetched.ExitCode);
        Assert.StartsWith("GET /page?q=1 HTTP/1.1\nHost: 127.0.0.1:", await server.Served);
    }

    [Theory]
    [MemberData(nameof(BadAnswers))]
    public async Task Says_in_one_line_what_is_wrong_with_an_answer(string answer, string complaint)
    {
        using CannedServer server = new(Encoding.Latin1.GetBytes(answer));
        await AssertFailsAsync(server.Url, complaint);
    }

    [Theory]
    [InlineData("http://127.0.0.1:1/", "refused")]
    [InlineData("http://no.such.host.invalid/", "no.such.host.invalid")]
    [InlineData("ftp://127.0.0.1/", "URL")]
    [InlineData("not a url", "URL")]
    public async Task Says_in_one_line_why_nothing_was_fetched(string url, string complaint) => await AssertFailsAsync(url, complaint);

    [Fact]
    public async Task A_reset_in_the_middle_of_a_body_without_a_length_is_not_its_end()
    {
        using CannedServer server = new("HTTP/1.0 200 OK\r\n\r\nbegun"u8.ToArray(), endsWithReset: true);
        await AssertFailsAsync(server.Url, "lost");
    }

    [Fact]
    public async Task Without_arguments_fetches_in_both_styles_and_over_TLS_from_its_own_server()
    {
        Child.Outcome fetched = await Child.RunAsync(s_program);
        string printed = Encoding.UTF8.GetString(fetched.Output);
        Assert.Equal(3, printed.Split("HTTP/1.0 200 OK\r\n").Length - 1);
        Assert.Contains("\r\n\r\nYou asked for /callbacks over TCP.\n", printed);
        Assert.Contains("\r\n\r\nYou asked for /awaits over TCP.\n", printed);
        Assert.Contains("\r\n\r\nYou asked for /awaits over TLS.\n", printed);
        Assert.Equal(0, fetched.ExitCode);
    }

    [GeneratedRegex(@"^.*?\r?\n\r?\n", RegexOptions.Singleline)]
    private static partial Regex Head();

    private static async Task AssertFailsAsync(string url, string complaint)
    {
        Child.Outcome fetched = await Child.RunAsync(s_program, url);
        Assert.Contains(complaint, fetched.Errors);
        Assert.StartsWith("HttpFetch: ", fetched.Errors);
        Assert.Equal(1, fetched.Errors.Count(character => character == '\n'));
        Assert.Equal(1, fetched.ExitCode);
    }
}
