namespace Waterspout.Tests;

public sealed class DescriptorLimitTests
{
    [Fact(Skip = "The limit of descriptors is the whole process's, and the test runner needs some: this belongs into a program of its own.")]
    public void A_server_that_runs_out_of_descriptors_pauses_and_recovers()
    {
    }
}
