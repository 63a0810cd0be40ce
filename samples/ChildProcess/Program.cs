using System.Diagnostics;
using System.IO.Pipes;
using System.Text;
using System.Text.RegularExpressions;
using Waterspout;

// The shell's prompt contains the exit status of its last command. A command's output is read up to the prompt.
const string Prompt = "[$?]> ";
Regex prompt = new(@"\[(\d+)\]> ", RegexOptions.CultureInvariant);

ProcessStartInfo start = new("sh", ["-c", "exec sh -i 2>&1"]) { RedirectStandardInput = true, RedirectStandardOutput = true };
start.Environment["PS1"] = Prompt;
using Process shell = Process.Start(start)!;

using IOLoop loop = new();
loop.RunSync(TalkAsync, TimeSpan.FromSeconds(30));
shell.WaitForExit();
Console.WriteLine($"The shell has ended with {shell.ExitCode}.");
return shell.ExitCode;

async Task TalkAsync()
{
    await using PipeIOStream input = Take(shell.StandardInput.BaseStream);
    await using PipeIOStream output = Take(shell.StandardOutput.BaseStream);
    await output.ReadUntilRegexAsync(prompt);
    foreach (string command in (string[])["echo $((6 * 7))", "name=Waterspout", "echo \"$name\" | tr a-z A-Z", "cd /nowhere"])
        await RunAsync(input, output, command);
    await input.WriteAsync("exit 0\n"u8);
    await output.ReadUntilCloseAsync();
}

async Task RunAsync(PipeIOStream input, PipeIOStream output, string command)
{
    await input.WriteAsync(Encoding.UTF8.GetBytes($"{command}\n"));
    string answer = Encoding.UTF8.GetString(await output.ReadUntilRegexAsync(prompt));
    Match end = prompt.Match(answer);
    Console.Write($"$ {command}\n{answer[..end.Index]}");
    if (end.Groups[1].Value != "0") Console.WriteLine($"(status {end.Groups[1].Value})");
}

// The parent's ends of the child's pipes. The stream owns the handle from here on.
static PipeIOStream Take(Stream stream) => new(((AnonymousPipeClientStream)stream).SafePipeHandle);
