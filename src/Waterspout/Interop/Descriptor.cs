using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Waterspout.Interop;

/// <summary>A file descriptor: what the system calls an open file of this process.</summary>
/// <remarks>
/// It owns nothing: who closes it is said where it is stored. Above the pollers nothing uses the number, except where it crosses the public
/// API, which has descriptors as integers.
/// </remarks>
internal record struct Descriptor
{
    // The number plus one, so that a field without a value is no descriptor, and not standard input. Negated by a close.
    private int _value;

    // The highest integer is none either: the kernel has far fewer descriptors.
    internal Descriptor(int number) => _value = number is < 0 or int.MaxValue ? 0 : number + 1;

    internal static Descriptor None => default;

    /// <summary>There is a descriptor, and it has not been closed.</summary>
    internal readonly bool IsOpen => _value > 0;

    /// <summary>
    /// The number. -1, with which every call fails, if there is none or it has been closed: the number may then belong to another file.
    /// </summary>
    internal readonly int Number => Math.Max(_value, 0) - 1;

    /// <summary>Standard input, output or error.</summary>
    internal readonly bool IsStandard => Number is >= 0 and <= 2;

    /// <summary>The descriptor of a handle, which still owns it.</summary>
    internal static Descriptor Of(SafeHandle handle) => new((int)handle.DangerousGetHandle());

    /// <summary>Takes the descriptor out of a field, for one caller, whichever threads try.</summary>
    /// <returns>The descriptor; <see cref="None"/> if another call has taken it.</returns>
    internal static Descriptor Take(ref Descriptor field) => new() { _value = Interlocked.Exchange(ref field._value, 0) };

    /// <summary>What is stored instead once it is closed: still the same name in logs, and no longer a descriptor.</summary>
    internal readonly Descriptor AsClosed() => new() { _value = -Math.Abs(_value) };

    /// <summary>A handle that owns the descriptor.</summary>
    internal readonly SafeSocketHandle ToSocketHandle() => new(Number, ownsHandle: true);

    /// <summary>The number, also after the close.</summary>
    public override readonly string ToString() => (Math.Abs(_value) - 1).ToString(CultureInfo.InvariantCulture);
}
