using HttpFetch;
using Waterspout;

using IOLoop loop = new();
using Stream output = Console.OpenStandardOutput();
try
{
    // Without a URL, fetch some pages from a server in this process.
    loop.RunSync(() => args switch
    {
        [] => Demo.RunAsync(output),
        [string text] when Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https" && url.Port > 0 => FetchAsync(url),
        [string text] => throw new UriFormatException($"'{text}' is not an http or https URL."),
        _ => throw new UriFormatException("Give one URL, or none."),
    });
    return 0;
}
catch (Exception error) when (error is IOException or InvalidDataException or UriFormatException)
{
    Console.Error.WriteLine($"HttpFetch: {error.Message}");
    return 1;
}

async Task FetchAsync(Uri url)
{
    await using IOStream stream = url.Scheme == Uri.UriSchemeHttps
        ? await SslIOStream.ConnectAsync(url.IdnHost, url.Port)
        : await IOStream.ConnectAsync(url.IdnHost, url.Port);
    await Http.GetAsync(stream, url, output);
}
