using System.Net.Security;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using Waterspout.Interop;

namespace Waterspout.Tests;

/// <summary>Constructors that fail leave the descriptor to the caller: not leaked, not closed, not even later by a finalizer.</summary>
[OnEachPoller]
public sealed class ConstructorTests : LoopTest
{
    private static readonly IOStreamOptions s_wrong = new() { ReadTimeout = TimeSpan.Zero };

    public static TheoryData<string> Failures => ["options", "options of TLS", "no certificates", "disposed loop"];

    [Theory]
    [MemberData(nameof(Failures))]
    public void A_socket_whose_stream_could_not_be_made_is_still_the_callers(string failure) => Run(async () =>
    {
        (Socket socket, Socket other) = Testing.StreamPair.CreateTcpSockets();
        Assert.ThrowsAny<Exception>(() => MakeAndFail(socket, failure));
        RunFinalizers();

        await AssertConnected(new IOStream(socket), new IOStream(other));
    });

    [Fact]
    public void A_socket_that_has_a_stream_already_gets_no_second_one() => Run(async () =>
    {
        (Socket socket, Socket other) = Testing.StreamPair.CreateTcpSockets();
        IOStream first = new(socket);
        Assert.ThrowsAny<Exception>(() => new IOStream(socket));
        RunFinalizers();

        await AssertConnected(first, new IOStream(other));
    });

    [Fact]
    public void A_number_that_has_a_stream_already_gets_no_second_one() => Run(async () =>
    {
        (PipeIOStream reader, PipeIOStream writer) = PipeIOStream.CreatePair();
        Descriptor fd = new(int.Parse(reader.ToString().Split(' ')[1]));
        int flags = FileDescriptors.GetStatusFlags(fd).Value;
        Assert.ThrowsAny<Exception>(() => new PipeIOStream(fd.Number));
        RunFinalizers();

        Assert.Equal(flags, FileDescriptors.GetStatusFlags(fd).Value);
        await AssertConnected(writer, reader);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_handle_whose_stream_could_not_be_made_still_closes_its_descriptor(bool isKnown) => Run(async () =>
    {
        (Descriptor readEnd, Descriptor writeEnd) = FileDescriptors.CreatePipe();
        SafeFileHandle handle = new(writeEnd.Number, ownsHandle: true);
        PipeIOStream reader = new(readEnd.Number);
        if (isKnown)
        {
            // The same descriptor again, which the poller refuses: late, when the handle is already referenced.
            PipeIOStream first = new(handle);
            Assert.ThrowsAny<Exception>(() => new PipeIOStream(handle));
            RunFinalizers();
            await AssertConnected(first, reader, keep: true);
            first.Close();
        }
        else
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => new PipeIOStream(handle, s_wrong));
            RunFinalizers();
            handle.Dispose();
        }

        Assert.Empty(await reader.ReadUntilCloseAsync());
    });

    [Fact]
    public void Blocking_mode_is_put_back_where_the_stream_could_not_be_made() => Run(() =>
    {
        (PipeIOStream reader, PipeIOStream writer) = PipeIOStream.CreatePair();
        Descriptor fd = new(int.Parse(reader.ToString().Split(' ')[1]));
        FileDescriptors.SetStatusFlags(fd, 0);
        Assert.ThrowsAny<Exception>(() => new PipeIOStream(fd.Number));
        Assert.Equal(0, FileDescriptors.GetStatusFlags(fd).Value & LibC.O_NONBLOCK);
        reader.Close();
        writer.Close();
        return Task.CompletedTask;
    });

    [Fact]
    public void A_pair_that_could_not_be_made_leaves_nothing_open() => Run(() =>
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => IOStream.CreatePair(s_wrong));
        Assert.Throws<ArgumentOutOfRangeException>(() => PipeIOStream.CreatePair(s_wrong));
        Assert.Throws<ArgumentOutOfRangeException>(() => Testing.StreamPair.CreateTcp(s_wrong));
        Assert.Throws<ArgumentOutOfRangeException>(() => Testing.StreamPair.CreateFaulty(s_wrong));
        return Task.CompletedTask;
    });

    [Fact]
    public void Refused_arguments_do_not_close_standard_input() => Run(() =>
    {
        bool wasOpen = FileDescriptors.GetStatusFlags(new Descriptor(0)).IsSuccess;
        Assert.Throws<ArgumentNullException>(() => new PipeIOStream((SafeFileHandle)null!));
        Assert.Throws<ArgumentNullException>(() => new SslIOStream(null!, new SslClientAuthenticationOptions()));
        RunFinalizers();
        Assert.Equal(wasOpen, FileDescriptors.GetStatusFlags(new Descriptor(0)).IsSuccess);
        return Task.CompletedTask;
    });

    [Fact]
    public void What_a_subclass_has_not_got_yet_is_not_closed() => Run(() =>
    {
        int before = OwnStream.Closes;
        Assert.Throws<ArgumentOutOfRangeException>(() => new OwnStream(s_wrong));
        RunFinalizers();
        Assert.Equal(before, OwnStream.Closes);
        return Task.CompletedTask;
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_descriptor_that_cannot_be_watched_closes_the_stream_with_the_error(bool isRead)
    {
        ExpectLog("closed: Error");
        if (!isRead) ExpectUnsent();
        Run(async () =>
        {
            int before = OwnStream.Closes;
            OwnStream stream = new();
            StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(async () =>
            {
                if (isRead) await stream.ReadBytesAsync(1);
                else await stream.WriteAsync(new byte[100_000].AsMemory());
            });
            Assert.IsType<NotSupportedException>(error.InnerException);
            Assert.True(stream.IsClosed);
            Assert.Equal(before + 1, OwnStream.Closes);
        });
    }

    private static void MakeAndFail(Socket socket, string failure)
    {
        IOLoop disposed = new();
        disposed.Dispose();
        _ = failure switch
        {
            "options" => new IOStream(socket, s_wrong),
            "options of TLS" => new SslIOStream(socket, new SslClientAuthenticationOptions(), s_wrong),
            "no certificates" => new SslIOStream(socket, (SslServerAuthenticationOptions)null!),
            _ => new IOStream(socket, null, disposed),
        };
    }

    private static async Task AssertConnected(BaseIOStream from, BaseIOStream to, bool keep = false)
    {
        await from.WriteAsync("still here"u8);
        Assert.Equal("still here"u8.ToArray(), await to.ReadBytesAsync(10));
        if (keep) return;
        from.Close();
        to.Close();
    }

    private static void RunFinalizers()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    /// <summary>A stream whose descriptor is not available.</summary>
    private sealed class OwnStream(IOStreamOptions? options = null) : BaseIOStream(options)
    {
        internal static int Closes { get; private set; }

        protected override int Fileno => throw new NotSupportedException("no descriptor");

        protected override void CloseFd() => Closes++;

        protected override int? ReadFromFd(Span<byte> buffer) => null;

        protected override int? WriteToFd(ReadOnlySpan<byte> data) => null;
    }
}
