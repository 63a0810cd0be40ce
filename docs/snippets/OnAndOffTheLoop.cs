using Waterspout;

namespace Snippets;

internal static class OnAndOffTheLoop
{
    internal static async Task<long> SumOffTheLoop(IOStream stream, int lines)
    {
        // Anywhere: in async Main, in a handler of ASP.NET, on the thread pool.
        long sum = 0;
        for (int i = 0; i < lines; i++) sum += await stream.ReadUntilAsync("\n"u8, static line => line.Length);
        return sum;
    }

    internal static async Task<long> SumOnTheLoop(IOStream stream, int lines)
    {
        await stream.Loop.SwitchTo();
        return await SumOffTheLoop(stream, lines); // the same code, on the loop from here on
    }
}
