using System.Globalization;
using Microsoft.Extensions.Hosting;
using OrleansCluster;
using Waterspout;

// Three silos as processes of their own, with grains on all of them and a client that calls them. One silo is killed meanwhile.
// Without arguments it does all that by itself, checks that nothing acknowledged is lost, and ends with 0.
if (args is ["silo", string number, string port, string folder])
{
    using IHost silo = Hosts.CreateSilo(int.Parse(number, CultureInfo.InvariantCulture), int.Parse(port, CultureInfo.InvariantCulture), folder);
    await silo.StartAsync();
    Console.WriteLine("ready");
    await silo.WaitForShutdownAsync();
    return 0;
}

if (args.Length > 0)
{
    Console.Error.WriteLine("Without arguments: three silos, and the kill of one. With silo NUMBER PORT FOLDER: one silo.");
    return 2;
}

using IOLoop loop = new();
return loop.RunSync(Demonstration.RunAsync);
