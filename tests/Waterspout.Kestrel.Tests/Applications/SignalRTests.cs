using System.Net.WebSockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Waterspout.Kestrel.Tests.Applications;

/// <summary>A SignalR chat, over every wire and each of SignalR's own transports.</summary>
public sealed class SignalRTests
{
    [Theory, OnEachWire]
    public Task A_chat_by_WebSockets(TransportKind transport, Wire wire) => ChatAsync(transport, wire, HttpTransportType.WebSockets);

    [Theory, OnEachWire]
    public Task A_chat_by_server_sent_events(TransportKind transport, Wire wire) => ChatAsync(transport, wire, HttpTransportType.ServerSentEvents);

    [Theory, OnEachWire]
    public Task A_chat_by_long_polling(TransportKind transport, Wire wire) => ChatAsync(transport, wire, HttpTransportType.LongPolling);

    private static async Task ChatAsync(TransportKind transport, Wire wire, HttpTransportType type)
    {
        await using TestServer server = await TestServer.StartAsync(
            transport, wire, static app => app.MapHub<ChatHub>("/chat"), static builder => builder.Services.AddSignalR(static hub => hub.MaximumReceiveMessageSize = 1_000_000));
        await using HubConnection alice = Connect(server, type);
        await using HubConnection bob = Connect(server, type);
        Channel<string> heard = Channel.CreateUnbounded<string>();
        bob.On<string>("Hear", text => heard.Writer.TryWrite(text));
        await Task.WhenAll(alice.StartAsync(), bob.StartAsync()).InTime();
        await bob.InvokeAsync("Join", "room").InTime();
        for (int i = 0; i < 20; i++) Assert.Equal(i, await alice.InvokeAsync<int>("Say", "room", $"{i}", i).InTime());
        for (int i = 0; i < 20; i++) Assert.Equal($"{i}", await heard.Reader.ReadAsync().AsTask().InTime());
        int next = 0;
        await foreach (int number in alice.StreamAsync<int>("Count", 100)) Assert.Equal(next++, number);
        Assert.Equal(100, next);
        Assert.Equal(100_000, await alice.InvokeAsync<int>("Measure", new string('x', 100_000)).InTime());
        await bob.StopAsync().InTime();
        await alice.StopAsync().InTime();
    }

    private static HubConnection Connect(TestServer server, HttpTransportType type) => new HubConnectionBuilder()
        .WithUrl(new Uri(server.Url, "chat"), type, options =>
        {
            options.HttpMessageHandlerFactory = _ => server.CreateHandler();
            options.WebSocketFactory = async (context, token) =>
            {
                ClientWebSocket socket = new();
                await socket.ConnectAsync(context.Uri, new HttpMessageInvoker(server.CreateHandler()), token);
                return socket;
            };
        })
        .Build();

    private sealed class ChatHub : Hub
    {
        public Task Join(string room) => Groups.AddToGroupAsync(Context.ConnectionId, room);

        public async Task<int> Say(string room, string text, int number)
        {
            await Clients.Group(room).SendAsync("Hear", text);
            return number;
        }

        public async IAsyncEnumerable<int> Count(int count)
        {
            for (int i = 0; i < count; i++)
            {
                await Task.Yield();
                yield return i;
            }
        }

        public int Measure(string text) => text.Length;
    }
}
