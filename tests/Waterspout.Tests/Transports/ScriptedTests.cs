namespace Waterspout.Tests;

public sealed class BytewiseEpollReads() : ReadContract(new ScriptedTransport(1), PollerKind.Epoll);

public sealed class BytewiseEpollReadsInto() : ReadIntoContract(new ScriptedTransport(1), PollerKind.Epoll);

public sealed class BytewiseEpollParsers() : ParserContract(new ScriptedTransport(1), PollerKind.Epoll);

public sealed class BytewiseEpollSplits() : SplitContract(new ScriptedTransport(1), PollerKind.Epoll);

public sealed class BytewisePortableReads() : ReadContract(new ScriptedTransport(1), PollerKind.Portable);

public sealed class BytewisePortableReadsInto() : ReadIntoContract(new ScriptedTransport(1), PollerKind.Portable);

public sealed class BytewisePortableParsers() : ParserContract(new ScriptedTransport(1), PollerKind.Portable);

public sealed class BytewisePortableSplits() : SplitContract(new ScriptedTransport(1), PollerKind.Portable);

public sealed class BytewiseEpollReadsUntil() : ReadUntilContract(new ScriptedTransport(1), PollerKind.Epoll);

public sealed class BytewisePortableReadsUntil() : ReadUntilContract(new ScriptedTransport(1), PollerKind.Portable);

public sealed class BytewiseEpollWrites() : WriteContract(new ScriptedTransport(1), PollerKind.Epoll);

public sealed class BytewiseEpollWriteEnds() : WriteEndContract(new ScriptedTransport(1), PollerKind.Epoll);

public sealed class BytewisePortableWrites() : WriteContract(new ScriptedTransport(1), PollerKind.Portable);

public sealed class BytewisePortableWriteEnds() : WriteEndContract(new ScriptedTransport(1), PollerKind.Portable);

public sealed class BytewiseEpollRandomUse() : RandomContract(new ScriptedTransport(1), PollerKind.Epoll);

public sealed class ScriptedEpollResets() : ResetContract(new ScriptedTransport(1000), PollerKind.Epoll);

public sealed class ScriptedPortableResets() : ResetContract(new ScriptedTransport(1000), PollerKind.Portable);
