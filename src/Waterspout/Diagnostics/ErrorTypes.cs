using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Waterspout.Diagnostics;

/// <summary>Values of the attribute <c>error.type</c>, as in .NET's own traces: few, and the same for the same cause.</summary>
internal static class ErrorTypes
{
    internal const string Attribute = "error.type";

    /// <summary>The code of a socket in lower case, such as <c>connection_refused</c>; otherwise the type of the exception.</summary>
    internal static string Of(Exception error) => error switch
    {
        SocketException socket => ToSnakeCase(socket.SocketErrorCode.ToString()),
        TimeoutException => "timeout",
        StreamClosedException { InnerException: { } cause } => Of(cause),
        _ => error.GetType().FullName!,
    };

    /// <summary>What a close has done to something that was under way.</summary>
    internal static string Of(CloseReason reason) => reason switch
    {
        CloseReason.Local => "closed",
        CloseReason.EndOfStream or CloseReason.Truncated => "end_of_stream",
        CloseReason.Reset => "connection_reset",
        CloseReason.Timeout => "timeout",
        _ => "error",
    };

    private static string ToSnakeCase(string name)
    {
        StringBuilder text = new();
        foreach (char each in name)
        {
            if (char.IsUpper(each) && text.Length > 0) text.Append('_');
            text.Append(char.ToLower(each, CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }
}
