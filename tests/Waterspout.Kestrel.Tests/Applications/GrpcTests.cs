using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Waterspout.Kestrel.Tests.Applications;

/// <summary>gRPC: each kind of call, over every wire.</summary>
public sealed class GrpcTests
{
    [Theory, OnEachWire]
    public async Task Calls_of_each_kind(TransportKind transport, Wire wire)
    {
        await using TestServer server = await StartAsync(transport, wire);
        using GrpcChannel channel = Connect(server);
        Chat.ChatClient client = new(channel);
        Line[] answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => client.SayAsync(new Line { Text = $"{i}" }).ResponseAsync)).InTime();
        Assert.Equal(Enumerable.Range(0, 100).Select(static i => $"<{i}>"), answers.Select(static answer => answer.Text));

        int expected = 0;
        using AsyncServerStreamingCall<Number> counting = client.Count(new Number { Value = 500 });
        await foreach (Number number in counting.ResponseStream.ReadAllAsync()) Assert.Equal(expected++, number.Value);
        Assert.Equal(500, expected);

        using AsyncClientStreamingCall<Number, Number> adding = client.Sum();
        for (int i = 1; i <= 100; i++) await adding.RequestStream.WriteAsync(new Number { Value = i });
        await adding.RequestStream.CompleteAsync();
        Assert.Equal(5050, (await adding.ResponseAsync.InTime()).Value);
    }

    [Theory, OnEachWire]
    public async Task Both_sides_talk_in_turn_and_at_once(TransportKind transport, Wire wire)
    {
        await using TestServer server = await StartAsync(transport, wire);
        using GrpcChannel channel = Connect(server);
        using AsyncDuplexStreamingCall<Line, Line> call = new Chat.ChatClient(channel).Talk();
        for (int i = 0; i < 100; i++)
        {
            await call.RequestStream.WriteAsync(new Line { Text = $"{i}" });
            Assert.True(await call.ResponseStream.MoveNext().InTime());
            Assert.Equal($"<{i}>", call.ResponseStream.Current.Text);
        }

        // More than the windows of the flow control hold, so that neither side can write all before the other reads.
        string text = new('x', 10_000);
        Task writing = Task.Run(async () =>
        {
            for (int i = 0; i < 300; i++) await call.RequestStream.WriteAsync(new Line { Text = text });
            await call.RequestStream.CompleteAsync();
        });
        int count = 0;
        while (await call.ResponseStream.MoveNext().InTime()) count += call.ResponseStream.Current.Text.Length;
        await writing.InTime();
        Assert.Equal(300 * (text.Length + 2), count);
    }

    [Theory, OnEachWire]
    public async Task A_cancelled_call_ends_on_both_sides(TransportKind transport, Wire wire)
    {
        Calls calls = new();
        await using TestServer server = await StartAsync(transport, wire, calls);
        using GrpcChannel channel = Connect(server);
        Chat.ChatClient client = new(channel);
        using (AsyncDuplexStreamingCall<Line, Line> call = client.Talk())
        {
            await call.RequestStream.WriteAsync(new Line { Text = "hello" });
            Assert.True(await call.ResponseStream.MoveNext().InTime());
        }

        await calls.Cancelled.Task.InTime();
        RpcException error = await Assert.ThrowsAsync<RpcException>(() => client.SayAsync(new Line { Text = "fail" }).ResponseAsync.InTime());
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Equal("<after>", (await client.SayAsync(new Line { Text = "after" }).ResponseAsync.InTime()).Text);
    }

    private static Task<TestServer> StartAsync(TransportKind transport, Wire wire, Calls? calls = null) => TestServer.StartAsync(
        transport, wire, static app => app.MapGrpcService<ChatService>(), builder => builder.Services.AddSingleton(calls ?? new Calls()).AddGrpc(), HttpProtocols.Http2);

    private static GrpcChannel Connect(TestServer server) =>
        GrpcChannel.ForAddress(server.Url, new GrpcChannelOptions { HttpHandler = server.CreateHandler(), DisposeHttpClient = true });

    /// <summary>What the service has seen.</summary>
    private sealed class Calls
    {
        internal TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class ChatService(Calls calls) : Chat.ChatBase
    {
        public override Task<Line> Say(Line request, ServerCallContext context) => request.Text == "fail"
            ? throw new RpcException(new Status(StatusCode.InvalidArgument, "No."))
            : Task.FromResult(Answer(request));

        public override async Task Count(Number request, IServerStreamWriter<Number> responseStream, ServerCallContext context)
        {
            for (int i = 0; i < request.Value; i++) await responseStream.WriteAsync(new Number { Value = i });
        }

        public override async Task<Number> Sum(IAsyncStreamReader<Number> requestStream, ServerCallContext context)
        {
            int sum = 0;
            await foreach (Number number in requestStream.ReadAllAsync()) sum += number.Value;
            return new Number { Value = sum };
        }

        public override async Task Talk(IAsyncStreamReader<Line> requestStream, IServerStreamWriter<Line> responseStream, ServerCallContext context)
        {
            using CancellationTokenRegistration cancelled = context.CancellationToken.Register(calls.Cancelled.SetResult);
            await foreach (Line line in requestStream.ReadAllAsync()) await responseStream.WriteAsync(Answer(line));
        }

        private static Line Answer(Line line) => new() { Text = $"<{line.Text}>" };
    }
}
