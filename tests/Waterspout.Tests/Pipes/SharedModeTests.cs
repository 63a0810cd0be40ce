using System.Text;
using Waterspout.Interop;

namespace Waterspout.Tests;

/// <summary>Streams over files that others have open too: the mode is shared.</summary>
[OnEachPoller]
public sealed class SharedModeTests : LoopTest
{
    private const int Much = 1_000_000;

    public static TheoryData<string> Kinds => ["pipe", "terminal", "socket"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Closing_one_stream_leaves_the_other_one_non_blocking(string kind)
    {
        ExpectLog("were written and not sent");
        Run(() => CloseOneOfTwoAsync(kind));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_last_of_the_streams_gives_the_mode_back(string kind) => Run(() =>
    {
        (Descriptor near, Descriptor far) = Open(kind);
        Descriptor kept = FileDescriptors.Duplicate(near);
        PipeIOStream first = new(near.Number);
        PipeIOStream second = new(FileDescriptors.Duplicate(near).Number);
        PipeIOStream third = new(FileDescriptors.Duplicate(near).Number);
        bool isTouched = kind != "socket";
        second.Close();
        Assert.Equal(!isTouched, IsBlocking(kept));
        first.Close();
        Assert.Equal(!isTouched, IsBlocking(kept));
        third.Close();
        Assert.True(IsBlocking(kept));
        FileDescriptors.Close(kept);
        FileDescriptors.Close(far);
        return Task.CompletedTask;
    });

    [Fact]
    public void A_second_stream_that_could_not_be_made_takes_no_mode_from_the_first() => Run(() =>
    {
        (Descriptor near, Descriptor far) = Open("pipe");
        Descriptor kept = FileDescriptors.Duplicate(near);
        PipeIOStream first = new(near.Number);
        Assert.ThrowsAny<Exception>(() => new PipeIOStream(near.Number));
        Assert.False(IsBlocking(kept));
        first.Close();
        Assert.True(IsBlocking(kept));
        FileDescriptors.Close(kept);
        FileDescriptors.Close(far);
        return Task.CompletedTask;
    });

    [Fact]
    public void What_was_non_blocking_before_stays_so() => Run(() =>
    {
        (Descriptor near, Descriptor far) = Open("pipe");
        FileDescriptors.SetNonBlocking(near);
        Descriptor kept = FileDescriptors.Duplicate(near);
        new PipeIOStream(near.Number).Close();
        Assert.False(IsBlocking(kept));
        FileDescriptors.Close(kept);
        FileDescriptors.Close(far);
        return Task.CompletedTask;
    });

    [Fact]
    public void The_two_ends_of_a_pipe_have_a_mode_each() => Run(() =>
    {
        (Descriptor writer, Descriptor reader) = Open("pipe");
        Descriptor keptReader = FileDescriptors.Duplicate(reader), keptWriter = FileDescriptors.Duplicate(writer);
        PipeIOStream input = new(reader.Number), output = new(writer.Number);
        input.Close();
        Assert.True(IsBlocking(keptReader));
        Assert.False(IsBlocking(keptWriter));
        output.Close();
        Assert.True(IsBlocking(keptWriter));
        FileDescriptors.Close(keptReader);
        FileDescriptors.Close(keptWriter);
        return Task.CompletedTask;
    });

    private async Task CloseOneOfTwoAsync(string kind)
    {
        (Descriptor near, Descriptor far) = Open(kind);
        Descriptor kept = FileDescriptors.Duplicate(near);
        PipeIOStream input = new(near.Number), output = new(FileDescriptors.Duplicate(near).Number);
        Task write = output.WriteAsync(new byte[Much].AsMemory()).AsTask();
        await Turns(2);
        input.Close();
        output.Write(Encoding.ASCII.GetBytes("more"));
        await Turns(2);
        Assert.False(write.IsCompleted);

        output.Close();
        await Assert.ThrowsAsync<StreamClosedException>(() => write);
        Assert.True(IsBlocking(kept));
        FileDescriptors.Close(kept);
        FileDescriptors.Close(far);
    }

    /// <summary>Blocking, and with a far side that is not read.</summary>
    private static (Descriptor Near, Descriptor Far) Open(string kind)
    {
        if (kind == "terminal")
        {
            Descriptor master = FileDescriptors.Open("/dev/ptmx", LibC.O_RDWR | LibC.O_NOCTTY);
            return (FileDescriptors.Open(Terminals.Unlock(master), LibC.O_RDWR | LibC.O_NOCTTY), master);
        }

        (Descriptor first, Descriptor second) = kind == "pipe" ? FileDescriptors.CreatePipe() : Sockets.CreatePair();
        FileDescriptors.SetStatusFlags(first, 0);
        FileDescriptors.SetStatusFlags(second, 0);
        return (second, first);
    }

    private static bool IsBlocking(Descriptor fd) => (FileDescriptors.GetStatusFlags(fd).Value & LibC.O_NONBLOCK) == 0;
}
