using System.Net;
using Npgsql;
using NpgsqlTypes;

namespace Waterspout.Interop.Tests.Clients;

/// <summary>
/// Npgsql, against PostgreSQL. It creates its socket itself and has no hook for a stream, so it connects to a relay: a server of ours whose
/// handler copies between two streams of ours, each as a <see cref="Stream"/>.
/// </summary>
public sealed class NpgsqlTests
{
    [Fact]
    public async Task Queries_copies_and_notifications_pass_a_relay()
    {
        await using PostgreSql postgres = new();
        await postgres.StartAsync();
        await using TcpServer relay = new(near => RelayAsync(near, postgres));
        int port = ((IPEndPoint)relay.Listen(0, "127.0.0.1")).Port;
        NpgsqlDataSourceBuilder builder = new($"Host=127.0.0.1;Port={port};Username=test;Database=postgres;SslMode=Disable;GssEncryptionMode=Disable");
        await using NpgsqlDataSource source = builder.Build();
        await using NpgsqlConnection connection = await source.OpenConnectionAsync();
        await CheckRowsAsync(connection);
        await CheckLargeValueAsync(connection);
        await CheckNotificationAsync(source, connection);
        CheckSynchronousCalls(connection);
        await CheckCancellationAsync(connection);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async number =>
        {
            await using NpgsqlCommand command = source.CreateCommand($"SELECT sum(i) FROM generate_series(1, {number}) AS i");
            Assert.Equal(number == 0 ? DBNull.Value : (object)((long)number * (number + 1) / 2), await command.ExecuteScalarAsync());
        }));
    }

    private static async Task RelayAsync(IOStream near, PostgreSql postgres)
    {
        await using Stream client = near.AsStream();
        await using Stream server = (await postgres.ConnectAsync()).AsStream();
        // Either end is the end: this protocol has no half-close.
        await Task.WhenAny(client.CopyToAsync(server), server.CopyToAsync(client));
    }

    private static async Task CheckRowsAsync(NpgsqlConnection connection)
    {
        await ExecuteAsync(connection, "CREATE TABLE line (number int PRIMARY KEY, text text)");
        await using (NpgsqlBinaryImporter writer = await connection.BeginBinaryImportAsync("COPY line FROM STDIN (FORMAT binary)"))
        {
            for (int i = 0; i < 20_000; i++)
            {
                await writer.StartRowAsync();
                await writer.WriteAsync(i, NpgsqlDbType.Integer);
                await writer.WriteAsync($"line {i}", NpgsqlDbType.Text);
            }

            Assert.Equal(20_000ul, await writer.CompleteAsync());
        }

        await using NpgsqlCommand command = new("SELECT number, text FROM line ORDER BY number", connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        int next = 0;
        for (; await reader.ReadAsync(); next++) Assert.Equal((next, $"line {next}"), (reader.GetInt32(0), reader.GetString(1)));
        Assert.Equal(20_000, next);
    }

    private static async Task CheckLargeValueAsync(NpgsqlConnection connection)
    {
        byte[] data = new byte[5_000_000];
        new Random(1).NextBytes(data);
        await using NpgsqlCommand command = new("SELECT $1", connection) { Parameters = { new NpgsqlParameter { Value = data } } };
        Assert.Equal(data, await command.ExecuteScalarAsync());
    }

    private static async Task CheckNotificationAsync(NpgsqlDataSource source, NpgsqlConnection connection)
    {
        string? heard = null;
        connection.Notification += (_, notification) => heard = notification.Payload;
        await ExecuteAsync(connection, "LISTEN news");
        await using NpgsqlConnection other = await source.OpenConnectionAsync();
        await ExecuteAsync(other, "NOTIFY news, 'hello'");
        await connection.WaitAsync();
        Assert.Equal("hello", heard);
    }

    private static void CheckSynchronousCalls(NpgsqlConnection connection)
    {
        using NpgsqlCommand command = new("SELECT text FROM line WHERE number = $1", connection) { Parameters = { new NpgsqlParameter<int>() } };
        command.Prepare();
        for (int i = 0; i < 200; i++)
        {
            ((NpgsqlParameter<int>)command.Parameters[0]).TypedValue = i;
            Assert.Equal($"line {i}", command.ExecuteScalar());
        }
    }

    private static async Task CheckCancellationAsync(NpgsqlConnection connection)
    {
        await using NpgsqlCommand command = new("SELECT pg_sleep(600)", connection);
        using CancellationTokenSource source = new();
        Task<object?> running = command.ExecuteScalarAsync(source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await ExecuteAsync(connection, "SELECT 1");
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using NpgsqlCommand command = new(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
