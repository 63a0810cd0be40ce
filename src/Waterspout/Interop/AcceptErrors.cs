namespace Waterspout.Interop;

/// <summary>What accept(2) fails with.</summary>
internal static class AcceptErrors
{
    /// <summary>The connection ended before it was accepted, or the network had an error meanwhile, which accept(2) reports too.</summary>
    internal static bool IsOfOneConnection(Errno error) => error is Errno.ECONNABORTED or Errno.EPROTO or Errno.ENETDOWN or Errno.ENOPROTOOPT
        or Errno.EHOSTUNREACH or Errno.EOPNOTSUPP or Errno.ENETUNREACH or Errno.EPERM;
}
