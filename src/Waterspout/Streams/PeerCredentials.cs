namespace Waterspout;

/// <summary>The process on the other side of a Unix socket, as the kernel vouches for it: see <see cref="IOStream.GetPeerCredentials"/>.</summary>
/// <param name="ProcessId">
/// The process that connected, or that called listen. It may have ended, and the number may belong to another one by now; 0 if it is in
/// another PID namespace.
/// </param>
/// <param name="UserId">Its effective user.</param>
/// <param name="GroupId">Its effective group.</param>
public readonly record struct PeerCredentials(int ProcessId, uint UserId, uint GroupId);
