using System.Text;
using Microsoft.AspNetCore.Http;

namespace Waterspout.Kestrel.Tests;

internal static class Answers
{
    /// <summary>Answers with a length in front, so that the text is the last of the answer.</summary>
    internal static async Task SendAsync(this HttpContext context, string text)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text);
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes);
    }
}
