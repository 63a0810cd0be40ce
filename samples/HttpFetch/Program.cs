using System.CommandLine;
using HttpFetch;
using Waterspout;

Argument<string?> address = new("url")
{
    Arity = ArgumentArity.ZeroOrOne,
    Description = "The page to fetch. Without it, some pages of a server within this process.",
};
RootCommand command = new("Fetches a page and prints its headers and its body.") { address };
command.SetAction(arguments =>
{
    using IOLoop loop = new();
    using Stream output = Console.OpenStandardOutput();
    try
    {
        if (arguments.GetValue(address) is { } url) loop.RunSync(() => FetchAsync(ToUri(url), output));
        else Demo.Run(loop, output);
        return 0;
    }
    catch (Exception error) when (error is IOException or InvalidDataException or UriFormatException)
    {
        Console.Error.WriteLine($"HttpFetch: {error.Message}");
        return 1;
    }
});
return command.Parse(args).Invoke();

static async Task FetchAsync(Uri url, Stream output)
{
    using IOStream stream = await ConnectAsync(url);
    await HttpExchange.GetAsync(stream, url, output);
}

static async Task<IOStream> ConnectAsync(Uri url) => url.Scheme == Uri.UriSchemeHttps
    ? await SslIOStream.ConnectAsync(url.DnsSafeHost, url.Port, sslOptions: null)
    : await IOStream.ConnectAsync(url.DnsSafeHost, url.Port);

static Uri ToUri(string text) =>
    Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https" && url.Port > 0
        ? new UriBuilder(url) { Host = url.IdnHost }.Uri // in ASCII, as it is looked up and sent
        : throw new UriFormatException($"'{text}' is not an http or https URL.");
