using System.Diagnostics;
using System.Text;
using Waterspout.Interop;

namespace Waterspout.Tests;

/// <summary>Raw mode and the speed of terminals: options of Open, which a close undoes.</summary>
[OnEachPoller]
public sealed class TerminalModeTests : LoopTest
{
    [Fact]
    public void A_raw_terminal_gives_every_byte_as_it_comes_and_echoes_nothing() => Run(async () =>
    {
        using Pair pair = new();
        using PipeIOStream terminal = PipeIOStream.Open(pair.Path, FileAccess.ReadWrite, terminal: new() { Raw = true });
        byte[] typed = [3, 4, 13, 17, 19, 26, 28, 127, 255, 0, 10];
        foreach (byte one in typed)
        {
            pair.Master.Write([one]);
            Assert.Equal(one, (await terminal.ReadBytesAsync(1).AsTask().WaitAsync(Limit))[0]);
        }

        await terminal.WriteAsync("a\nb\t\r"u8);
        // An echo would come first, and a cooked terminal sends CR LF.
        Assert.Equal("a\nb\t\r", Encoding.ASCII.GetString(await pair.Master.ReadBytesAsync(5).AsTask().WaitAsync(Limit)));
    });

    [Fact]
    public void A_close_restores_the_settings() => Run(async () =>
    {
        using Pair pair = new();
        string before = pair.Settings;
        PipeIOStream terminal = PipeIOStream.Open(pair.Path, FileAccess.ReadWrite, terminal: new() { Raw = true, Speed = 115_200 });
        Assert.NotEqual(before, pair.Settings);
        terminal.Close();
        Assert.Equal(before, pair.Settings);
        await using (PipeIOStream.Open(pair.Path, FileAccess.ReadWrite, terminal: new() { Raw = true })) Assert.NotEqual(before, pair.Settings);
        Assert.Equal(before, pair.Settings);
    });

    [Theory]
    [InlineData(50)]
    [InlineData(38_400)]
    [InlineData(57_600)]
    [InlineData(115_200)]
    [InlineData(4_000_000)]
    public void Programs_of_the_C_library_see_the_speed(int speed) => Run(async () =>
    {
        using Pair pair = new();
        using PipeIOStream terminal = PipeIOStream.Open(pair.Path, FileAccess.ReadWrite, terminal: new() { Speed = speed });
        await using ChildProcess stty = ChildProcess.Start(new ProcessStartInfo("stty", ["-F", pair.Path, "speed"]));
        Assert.Equal($"{speed}", await stty.StandardOutput.ReadLineAsync());
    });

    [Theory]
    [InlineData(300)]
    [InlineData(9_600)]
    [InlineData(250_000)]
    [InlineData(4_000_000)]
    public void A_terminal_runs_at_any_speed(int speed) => Run(async () =>
    {
        using Pair pair = new();
        using PipeIOStream terminal = PipeIOStream.Open(pair.Path, FileAccess.ReadWrite, terminal: new() { Speed = speed });
        Assert.True(TerminalSettings.Get(pair.Fd, out TerminalSettings settings).IsSuccess);
        Assert.Equal((uint)speed, settings.Speed);
        // The rest is as it was: lines and echo.
        pair.Master.Write("x\n"u8);
        Assert.Equal("x", await terminal.ReadLineAsync().AsTask().WaitAsync(Limit));
        Assert.Equal("x", await pair.Master.ReadLineAsync().AsTask().WaitAsync(Limit));
    });

    [Fact]
    public void Of_several_streams_the_last_one_restores_what_was_before_the_first() => Run(() =>
    {
        using Pair pair = new();
        string before = pair.Settings;
        PipeIOStream first = PipeIOStream.Open(pair.Path, FileAccess.Read, terminal: new() { Raw = true });
        string raw = pair.Settings;
        PipeIOStream second = PipeIOStream.Open(pair.Path, FileAccess.Write, terminal: new() { Raw = true });
        PipeIOStream bystander = PipeIOStream.Open(pair.Path, FileAccess.Write);
        first.Close();
        Assert.Equal(raw, pair.Settings);
        bystander.Close();
        Assert.Equal(raw, pair.Settings);
        second.Close();
        Assert.Equal(before, pair.Settings);
        return Task.CompletedTask;
    });

    [Fact]
    public void A_stream_without_options_leaves_the_settings_to_others() => Run(() =>
    {
        using Pair pair = new();
        PipeIOStream terminal = PipeIOStream.Open(pair.Path, FileAccess.ReadWrite);
        Terminals.SetToPolling(pair.Fd);
        string set = pair.Settings;
        terminal.Close();
        Assert.Equal(set, pair.Settings);
        return Task.CompletedTask;
    });

    [Fact]
    public void What_is_no_terminal_or_no_speed_is_refused_and_nothing_is_left() => Run(() =>
    {
        using Pair pair = new();
        string before = pair.Settings;
        Assert.Equal("terminal", Assert.Throws<ArgumentOutOfRangeException>(() =>
            PipeIOStream.Open(pair.Path, FileAccess.ReadWrite, terminal: new() { Speed = 0 })).ParamName);
        Assert.Equal("terminal", Assert.Throws<ArgumentException>(() =>
            PipeIOStream.Open("/dev/null", FileAccess.ReadWrite, terminal: new() { Raw = true })).ParamName);
        Assert.Equal(before, pair.Settings);
        return Task.CompletedTask;
    });

    /// <summary>A pseudo-terminal: our side as a stream, and a descriptor of the terminal that stays open.</summary>
    private sealed class Pair : IDisposable
    {
        internal Pair()
        {
            Descriptor master = FileDescriptors.Open("/dev/ptmx", LibC.O_RDWR | LibC.O_NOCTTY);
            Path = Terminals.Unlock(master);
            Fd = FileDescriptors.Open(Path, LibC.O_RDWR | LibC.O_NOCTTY);
            Master = new PipeIOStream(master.Number);
        }

        internal string Path { get; }

        internal Descriptor Fd { get; }

        internal PipeIOStream Master { get; }

        internal string Settings => Terminals.Describe(Fd.Number);

        public void Dispose()
        {
            Master.Dispose();
            FileDescriptors.Close(Fd);
        }
    }
}
