using System.Text;

namespace Waterspout.Interop.Tests;

/// <summary>Standard input and output, whatever they are.</summary>
public sealed class StandardStreamTests
{
    [Theory]
    [InlineData("seq 5000 | PROGRAM | cat", "1\n23891\n")]
    [InlineData("seq 5000 > FILE; PROGRAM < FILE | cat", "1\n23891\n")]
    [InlineData("seq 5000 > FILE; PROGRAM < FILE > FILE.out; cat FILE.out", "1\n23891\n")]
    [InlineData("echo before > FILE; seq 5000 | PROGRAM >> FILE; echo after >> FILE; cat FILE", "before\n1\n23891\nafter\n")]
    [InlineData("(PROGRAM; PROGRAM) < /dev/null > FILE; cat FILE", "nothing\n0\nnothing\n0\n")]
    [InlineData("seq 3 | PROGRAM > /dev/null; echo $?", "0\n")]
    public void A_program_reads_and_writes_what_it_is_given(string script, string expected) => TestLoop.Run(async () =>
    {
        string file = Path.GetTempFileName();
        try
        {
            string program = ChildPrograms.Command(ChildPrograms.CountInput);
            string command = script.Replace("PROGRAM", program, StringComparison.Ordinal).Replace("FILE", file, StringComparison.Ordinal);
            Child.Outcome outcome = await Child.RunAsync("sh", "-c", command);
            Assert.Equal((expected, ""), (Encoding.ASCII.GetString(outcome.Output), outcome.Errors));
        }
        finally
        {
            File.Delete(file);
            File.Delete($"{file}.out");
        }
    });
}
