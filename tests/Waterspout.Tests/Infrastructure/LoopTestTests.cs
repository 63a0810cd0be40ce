using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Xunit.Sdk;

namespace Waterspout.Tests;

/// <summary>The checks of <see cref="LoopTest"/> can fail.</summary>
public sealed class LoopTestTests : LoopTest
{
    [Fact]
    public void A_warning_fails_the_test() =>
        Assert.Throws<TrueException>(() => Run(() =>
        {
            Log.Log(LogLevel.Warning, "unannounced");
            return Task.CompletedTask;
        }));

    [Fact]
    public void An_announced_warning_passes_and_is_missed_when_it_does_not_come()
    {
        ExpectLog("announced");
        Assert.Throws<TrueException>(() => Run(() => Task.CompletedTask));
        Run(() =>
        {
            Log.Log(LogLevel.Warning, "announced");
            return Task.CompletedTask;
        });
    }

    [Fact]
    public void A_descriptor_that_is_left_open_fails_the_test()
    {
        Socket? left = null;
        Assert.Throws<TrueException>(() => Run(() =>
        {
            left = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            return Task.CompletedTask;
        }));
        left!.Dispose();
    }

    [Fact]
    public void Threads_that_start_meanwhile_leave_nothing_open()
    {
        bool isOver = false;
        Thread starter = new(() =>
        {
            while (!Volatile.Read(ref isOver))
            {
                Thread other = new(() => { });
                other.Start();
                other.Join();
            }
        });
        starter.Start();
        for (int i = 0; i < 20; i++) Run(() => Task.CompletedTask);
        Volatile.Write(ref isOver, true);
        starter.Join();
    }

    [Fact]
    public void An_unobserved_exception_fails_the_test() =>
        Assert.Throws<TrueException>(() => Run(() =>
        {
            DropFailedTask();
            return Task.CompletedTask;
        }));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DropFailedTask() => Task.FromException(new IOException("dropped"));
}
