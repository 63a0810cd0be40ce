using System.CommandLine;
using System.Net;
using DnsOverTcp;
using Waterspout;

Dictionary<string, IPAddress[]> table = new(StringComparer.OrdinalIgnoreCase)
{
    ["one.test"] = [IPAddress.Parse("192.0.2.1")],
    ["two.test"] = [IPAddress.Parse("192.0.2.2"), IPAddress.Parse("2001:db8::2"), IPAddress.Parse("192.0.2.3")],
};
Argument<string[]> names = new("names") { Description = "What to resolve.", DefaultValueFactory = _ => [.. table.Keys, "three.test"] };
Option<string?> server = new("--server") { Description = "A name server; by default one that this program starts for itself." };
Option<int> port = new("--port") { Description = "Its port.", DefaultValueFactory = _ => 53 };
RootCommand command = new("Resolves names over one TCP connection, all of them at the same time.") { names, server, port };
command.SetAction(async (arguments, stopping) =>
{
    await using TcpServer own = new(new NameServer(table).ServeAsync);
    IPEndPoint address = (IPEndPoint)own.Listen(0, "127.0.0.1");
    string host = arguments.GetValue(server) ?? "127.0.0.1";
    int number = arguments.GetValue(server) is null ? address.Port : arguments.GetValue(port);
    await using Resolver resolver = new(await IOStream.ConnectAsync(host, number, cancellationToken: stopping));
    string[] lines = await Task.WhenAll(arguments.GetValue(names)!.Select(name => DescribeAsync(resolver, name)));
    foreach (string line in lines) Console.WriteLine(line);
    return 0;
});
return await command.Parse(args).InvokeAsync();

static async Task<string> DescribeAsync(Resolver resolver, string name)
{
    TimeSpan limit = TimeSpan.FromSeconds(5);
    IPAddress[][] addresses = await Task.WhenAll(resolver.ResolveAsync(name, Message.TypeA, limit), resolver.ResolveAsync(name, Message.TypeAaaa, limit));
    IPAddress[] all = [.. addresses.SelectMany(static found => found)];
    return $"{name}: {(all.Length > 0 ? string.Join(", ", all.Select(static address => $"{address}")) : "no address")}";
}
