using System.Diagnostics;

namespace Waterspout.Bench.SideBySide;

/// <summary>What has to be installed, and the compilation of the programs that are not .NET.</summary>
internal sealed class Toolchain
{
    internal Toolchain()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Waterspout.slnx"))) Root = folder.FullName;
        Output = Path.Combine(Root, "artifacts", "bench");
        Directory.CreateDirectory(Output);
    }

    internal string Root { get; } = ".";

    /// <summary>The folder for compiled programs.</summary>
    internal string Output { get; }

    internal string Source(params string[] path) => Path.Combine([Root, "bench", "peers", .. path]);

    internal static bool Has(string program) => Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));

    /// <summary>Runs a program to its end. Returns its output, or null if it failed.</summary>
    internal static string? TryRun(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["GO111MODULE"] = "off";
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? output + errors.Result : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null; // the program is not installed
        }
    }

    /// <summary>Compiles a program unless it is newer than its sources. Returns null on success, otherwise what is missing.</summary>
    internal string? Compile(string output, string compiler, string needs, string[] sources, params string[] arguments)
    {
        string target = Path.Combine(Output, output);
        if (File.Exists(target) && sources.All(source => File.GetLastWriteTimeUtc(source) < File.GetLastWriteTimeUtc(target))) return null;
        if (!Has(compiler)) return $"no {compiler} ({needs})";
        string[] rest = [.. sources.Where(source => !source.EndsWith(".h", StringComparison.Ordinal)), .. arguments];
        string[] line = compiler == "go" ? ["build", "-o", target, .. rest] : ["-O2", "-o", target, .. rest];
        return TryRun(compiler, line) is null ? $"does not compile here ({needs})" : null;
    }

    /// <summary>The load, with TLS if OpenSSL's headers are installed.</summary>
    internal bool CompileLoad()
    {
        string[] sources = Directory.GetFiles(Source("load"));
        return Compile("load", "gcc", "gcc", sources, "-DWITH_TLS", "-lssl", "-lcrypto") is null || Compile("load", "gcc", "gcc", sources) is null;
    }

    /// <summary>A certificate for localhost. Null if it cannot be created.</summary>
    internal (string Certificate, string Key)? MakeCertificate()
    {
        string certificate = Path.Combine(Output, "certificate.pem"), key = Path.Combine(Output, "key.pem");
        if (File.Exists(certificate) && File.Exists(key)) return (certificate, key);
        string? made = TryRun("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
            "-subj", "/CN=localhost", "-keyout", key, "-out", certificate);
        return made is null ? null : (certificate, key);
    }
}
