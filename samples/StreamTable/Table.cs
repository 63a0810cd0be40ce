using System.Text;
using Waterspout;

namespace StreamTable;

/// <summary>Prints streams as a table.</summary>
internal static class Table
{
    private static readonly CompositeFormat s_row = CompositeFormat.Parse("{0,-28} {1,-9} {2,7} {3,9} {4,9} {5,9} {6,9}  {7}");

    /// <summary>Prints over what was there: the cursor goes home, and what the new table does not cover is cleared.</summary>
    internal static void Show(IReadOnlyList<StreamInfo> streams)
    {
        Console.Write("\e[H");
        Print(streams);
        Console.Write("\e[J");
    }

    internal static void Print(IReadOnlyList<StreamInfo> streams)
    {
        Line("stream", "state", "age", "in", "out", "unread", "unsent", "why it waits");
        foreach (StreamInfo stream in streams.OrderByDescending(stream => stream.SinceProgress ?? stream.Age))
        {
            Line($"{stream.Kind} {stream.RemoteEndPoint}", stream.Phase, $"{stream.Age.TotalSeconds:F1} s",
                stream.BytesReceived, stream.BytesSent, stream.ReadBuffered + stream.SystemReadBuffered, stream.WriteBuffered, stream.Explanation);
        }
    }

    // The rest of a longer line that was there before is cleared.
    private static void Line(params object[] cells)
    {
        string line = string.Format(null, s_row, cells).TrimEnd();
        Console.WriteLine(Console.IsOutputRedirected ? line : $"{line}\e[K");
    }
}
