using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Waterspout.Interop;

namespace Waterspout.Tests;

/// <summary>How system errors are translated.</summary>
[OnEachPoller]
public sealed class ErrorTests : LoopTest
{
    [Fact]
    public void Every_error_number_has_its_own_text_whatever_it_happens_to() => Run(() =>
    {
        foreach (Errno error in Enum.GetValues<Errno>())
        {
            string text = Marshal.GetPInvokeErrorMessage((int)error);
            Assert.DoesNotContain("Unknown", text);
            Assert.Equal(text, PosixResult.ToSocketException(error).Message);
            IOException other = PosixResult.ToException(error, "call");
            Assert.Equal($"call: {text} ({error})", other.Message);
            Assert.Equal((int)error, Assert.IsType<Win32Exception>(other.InnerException).NativeErrorCode);
        }

        return Task.CompletedTask;
    });

    [Fact]
    public void Error_numbers_have_the_codes_that_the_platforms_own_sockets_give_them() => Run(() =>
    {
        foreach (Errno error in Enum.GetValues<Errno>())
        {
            SocketError code = PosixResult.ToSocketException(error).SocketErrorCode;
            // The way back, which the platform has: from its code to the system's number.
            if (code != SocketError.SocketError && !s_sharing.Contains(error)) Assert.Equal((int)error, new SocketException((int)code).NativeErrorCode);
        }

        foreach (SocketError code in Enum.GetValues<SocketError>())
        {
            int native = new SocketException((int)code).NativeErrorCode;
            if (native > 0 && Enum.IsDefined((Errno)native) && native != (int)code) Assert.NotEqual(SocketError.SocketError, PosixResult.ToSocketException((Errno)native).SocketErrorCode);
        }

        return Task.CompletedTask;
    });

    [Fact]
    public void A_path_that_cannot_be_connected_to_says_why() => Run(async () =>
    {
        string file = Path.GetTempFileName();
        string datagrams = file + ".sock";
        using Socket other = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        other.Bind(new UnixDomainSocketEndPoint(datagrams));
        Assert.Equal((SocketError.SocketError, $"Not a directory: {file}/x"), await ConnectAndFailAsync(file + "/x"));
        Assert.Equal((SocketError.ProtocolType, $"Protocol wrong type for socket: {datagrams}"), await ConnectAndFailAsync(datagrams));
        Assert.Equal((SocketError.ConnectionRefused, $"No such file or directory: {file}2"), await ConnectAndFailAsync(file + "2"));
        Assert.Equal((SocketError.ConnectionRefused, $"Connection refused: {file}"), await ConnectAndFailAsync(file));
        File.Delete(file);
        File.Delete(datagrams);
    });

    [Fact]
    public void An_address_of_another_family_than_the_sockets_is_named_as_that() => Run(async () =>
    {
        using IOStream ip = new(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        using IOStream path = new(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
        foreach ((IOStream stream, EndPoint address) in ((IOStream, EndPoint)[])[(ip, new UnixDomainSocketEndPoint("/x")), (path, new IPEndPoint(IPAddress.Loopback, 9))])
        {
            StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(async () => await stream.ConnectAsync(address));
            SocketException inner = Assert.IsType<SocketException>(error.InnerException);
            Assert.Equal((SocketError.AddressFamilyNotSupported, $"Address family not supported by protocol: {address}"), (inner.SocketErrorCode, inner.Message));
        }
    });

    // Numbers that share their code with another one.
    private static readonly Errno[] s_sharing = [Errno.ENOENT, Errno.ENFILE, Errno.EMFILE, Errno.ENOMEM, Errno.EBADF, Errno.ECANCELED, Errno.EPERM, Errno.EACCES, Errno.ENXIO];

    private static async Task<(SocketError Code, string Text)> ConnectAndFailAsync(string path)
    {
        using IOStream stream = new(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
        StreamClosedException error = await Assert.ThrowsAsync<StreamClosedException>(async () => await stream.ConnectAsync(new UnixDomainSocketEndPoint(path)));
        SocketException inner = Assert.IsType<SocketException>(error.InnerException);
        return (inner.SocketErrorCode, inner.Message);
    }
}
