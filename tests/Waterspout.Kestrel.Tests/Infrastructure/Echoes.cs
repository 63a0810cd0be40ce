using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;

namespace Waterspout.Kestrel.Tests;

/// <summary>An application that returns a WebSocket's messages.</summary>
internal static class Echoes
{
    internal static async Task AnswerAsync(HttpContext context)
    {
        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
        byte[] buffer = new byte[16_000];
        ValueWebSocketReceiveResult part;
        while ((part = await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted)).MessageType != WebSocketMessageType.Close)
            await socket.SendAsync(buffer.AsMemory(0, part.Count), part.MessageType, part.EndOfMessage, context.RequestAborted);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
    }
}
