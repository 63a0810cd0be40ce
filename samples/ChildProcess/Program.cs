using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Waterspout;

// The shell's prompt contains the exit status of its last command. A command's output is read up to the prompt.
const string Prompt = "[$?]> ";
Regex prompt = new(@"\[(\d+)\]> ", RegexOptions.CultureInvariant);

ProcessStartInfo start = new("sh", ["-c", "exec sh -i 2>&1"]);
start.Environment["PS1"] = Prompt;
ChildProcessOptions options = new() { Redirect = StandardStreams.Input | StandardStreams.Output, TimeLimit = TimeSpan.FromSeconds(30) };

using IOLoop loop = new();
int code = loop.RunSync(TalkAsync);
Console.WriteLine($"The shell has ended with {code}.");
return code;

async Task<int> TalkAsync()
{
    await using ChildProcess shell = ChildProcess.Start(start, options);
    await shell.StandardOutput.ReadUntilRegexAsync(prompt);
    foreach (string command in (string[])["echo $((6 * 7))", "name=Waterspout", "echo \"$name\" | tr a-z A-Z", "cd /nowhere"])
        await RunAsync(shell, command);
    await shell.StandardInput.WriteLineAsync("exit 0");
    return await shell.WaitForExitAsync();
}

async Task RunAsync(ChildProcess shell, string command)
{
    await shell.StandardInput.WriteLineAsync(command);
    string answer = Encoding.UTF8.GetString(await shell.StandardOutput.ReadUntilRegexAsync(prompt));
    Match end = prompt.Match(answer);
    Console.Write($"$ {command}\n{answer[..end.Index]}");
    if (end.Groups[1].Value != "0") Console.WriteLine($"(status {end.Groups[1].Value})");
}
