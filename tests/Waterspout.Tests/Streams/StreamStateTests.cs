namespace Waterspout.Tests;

/// <summary>Every transition in every state, without any I/O, against the table in <see cref="StreamState"/>.</summary>
public sealed class StreamStateTests
{
    private const string Lives = "New Open Failing Closing Closed Moved";
    private const string Peers = "NoPeer None Announced Received Returned";
    private const string Ends = "Open Ending Ended";
    private const string HasPeer = "None Announced Received Returned";
    private const string Any = "*";
    private const string Same = "=";

    // The peer's end and the write end that a row names are the least: what is further stays.
    private static readonly Row[] s_table =
    [
        new(Transition.AwaitPeer, "New", "None", Any, Same, "NoPeer", Same),
        new(Transition.Register, "New", Any, Any, "Open", Same, Same),
        new(Transition.Connect, "Open Closing", "NoPeer", Any, Same, "None", Same),
        new(Transition.AnnounceEof, "Open Failing Closing", HasPeer, Any, Same, "Announced+", Same),
        new(Transition.ReceiveEof, "Open Failing Closing", HasPeer, Any, Same, "Received+", Same),
        new(Transition.ReturnEof, "New Open Failing Closing Closed", "Received Returned", Any, Same, "Returned", Same),
        new(Transition.Fail, "Open", "None Announced", Any, "Failing", "Announced", Same),
        new(Transition.BeginClose, "Open Closing", Any, Any, "Closing", Same, Same),
        new(Transition.Close, "New Open Failing Closing", Any, Any, "Closed", Same, Same),
        new(Transition.Move, "New Open", HasPeer, Any, "Moved", Same, Same),
        new(Transition.BeginWriteEnd, "New Open", Any, Any, Same, Same, "Ending+"),
        new(Transition.CompleteWriteEnd, "New Open Failing Closing Closed", Any, Any, Same, Same, "Ended"),
        new(Transition.CancelWriteEnd, "New Open Failing Closing Closed", Any, "Open Ending", Same, Same, "Open"),
    ];

    private static readonly (Life, PeerEnd, WriteEnd)[] s_all =
        [.. from life in Enum.GetValues<Life>() from peer in Enum.GetValues<PeerEnd>() from end in Enum.GetValues<WriteEnd>() select (life, peer, end)];

    [Fact]
    public void The_table_has_one_row_for_each_transition_and_names_only_what_there_is()
    {
        Assert.Equal(Enum.GetValues<Transition>(), s_table.Select(row => row.Transition));
        Assert.Equal(Enum.GetNames<Life>(), Lives.Split(' '));
        Assert.Equal(Enum.GetNames<PeerEnd>(), Peers.Split(' '));
        Assert.Equal(Enum.GetNames<WriteEnd>(), Ends.Split(' '));
    }

    [Fact]
    public void Every_transition_moves_every_state_as_the_table_says_or_is_refused()
    {
        int moved = 0;
        foreach (StreamState state in ReachableStates())
        {
            foreach (Row row in s_table)
            {
                bool isLegal = row.IsLegal(Of(state));
                Assert.True(isLegal == state.Allows(row.Transition), $"{row.Transition} in {Of(state)}: the table says {isLegal}.");
                if (!isLegal) continue;
                Assert.Equal((row.Transition, row.Next(Of(state))), (row.Transition, Of(After(row.Transition, state))));
                moved++;
            }
        }

        // All that the loops above went through: a table or a search that has become empty proves nothing.
        Assert.InRange(moved, 300, 600);
    }

    [Fact]
    public void A_stream_gets_into_these_combinations_and_into_no_others()
    {
        HashSet<(Life, PeerEnd, WriteEnd)> reached = [.. ReachableStates().Select(Of)];
        foreach ((Life Life, PeerEnd Peer, WriteEnd End) state in s_all)
            Assert.True(IsPossible(state.Life, state.Peer) == reached.Contains(state), $"{state}");
    }

    [Fact]
    public void Nothing_is_readable_behind_the_end_and_a_closed_stream_is_ready_for_nothing()
    {
        foreach (StreamState reached in ReachableStates())
        {
            StreamState state = reached;
            state.Track(IOEvents.Read | IOEvents.Write | IOEvents.Error | IOEvents.ReadClosed);
            Assert.Equal(state.Life < Life.Closed && state.PeerEnd < PeerEnd.Received, state.IsReadable);
            Assert.Equal(state.Life < Life.Closed, state.IsWritable);
        }
    }

    [Theory]
    [InlineData(IOEvents.Read, true, false)]
    [InlineData(IOEvents.ReadClosed, true, false)]
    [InlineData(IOEvents.Write, false, true)]
    [InlineData(IOEvents.Error, true, true)]
    [InlineData(IOEvents.HangUp, true, true)]
    [InlineData(IOEvents.Priority, false, false)]
    public void An_event_makes_the_stream_ready_for_what_it_says(IOEvents events, bool isReadable, bool isWritable)
    {
        StreamState state = new();
        state.ClearWritable();
        state.Track(events);
        Assert.Equal((isReadable, isWritable), (state.IsReadable, state.IsWritable));
    }

    [Fact]
    public void A_failing_stream_is_readable_until_a_receive_says_that_there_is_no_more()
    {
        StreamState state = new();
        state.Register();
        Assert.False(state.IsReadable);
        state.Fail();
        Assert.True(state.IsReadable);
        state.ClearReadable();
        Assert.False(state.IsReadable);
    }

    [Fact]
    public void It_is_four_bytes() => Assert.Equal(4, System.Runtime.CompilerServices.Unsafe.SizeOf<StreamState>());

    private static bool IsPossible(Life life, PeerEnd peer) => life switch
    {
        Life.New => peer <= PeerEnd.None,
        Life.Failing => peer >= PeerEnd.Announced,
        Life.Moved => peer >= PeerEnd.None,
        _ => true,
    };

    /// <summary>All that can become of a new stream.</summary>
    private static List<StreamState> ReachableStates()
    {
        List<StreamState> states = [new StreamState()];
        HashSet<(Life, PeerEnd, WriteEnd)> seen = [Of(states[0])];
        for (int i = 0; i < states.Count; i++)
        {
            foreach (Transition transition in Enum.GetValues<Transition>().Where(states[i].Allows))
            {
                StreamState next = After(transition, states[i]);
                if (seen.Add(Of(next))) states.Add(next);
            }
        }

        return states;
    }

    private static (Life Life, PeerEnd PeerEnd, WriteEnd WriteEnd) Of(StreamState state) => (state.Life, state.PeerEnd, state.WriteEnd);

    private static StreamState After(Transition transition, StreamState state)
    {
        switch (transition)
        {
            case Transition.AwaitPeer: state.AwaitPeer(); break;
            case Transition.Register: state.Register(); break;
            case Transition.Connect: state.Connect(); break;
            case Transition.AnnounceEof: state.AnnounceEof(); break;
            case Transition.ReceiveEof: state.ReceiveEof(); break;
            case Transition.ReturnEof: state.ReturnEof(); break;
            case Transition.Fail: state.Fail(); break;
            case Transition.BeginClose: state.BeginClose(); break;
            case Transition.Close: state.Close(); break;
            case Transition.Move: state.Move(); break;
            case Transition.BeginWriteEnd: state.BeginWriteEnd(); break;
            case Transition.CompleteWriteEnd: state.CompleteWriteEnd(); break;
            case Transition.CancelWriteEnd: state.CancelWriteEnd(); break;
            default: throw new ArgumentOutOfRangeException(nameof(transition));
        }

        return state;
    }

    /// <summary>When a transition is legal, and what it leads to: a name, a name with a plus for that or what is further, or the same.</summary>
    private sealed record Row(Transition Transition, string Lives, string Peers, string Ends, string Life, string Peer, string End)
    {
        internal bool IsLegal((Life Life, PeerEnd PeerEnd, WriteEnd WriteEnd) state) =>
            IsNamed(Lives, state.Life) && IsNamed(Peers, state.PeerEnd) && IsNamed(Ends, state.WriteEnd);

        internal (Life, PeerEnd, WriteEnd) Next((Life Life, PeerEnd PeerEnd, WriteEnd WriteEnd) state) =>
            (Next(Life, state.Life), Next(Peer, state.PeerEnd), Next(End, state.WriteEnd));

        private static bool IsNamed<T>(string names, T value)
            where T : struct, Enum => names == Any || names.Split(' ').Contains(value.ToString());

        private static T Next<T>(string name, T value)
            where T : struct, Enum
        {
            if (name == Same) return value;
            T named = Enum.Parse<T>(name.TrimEnd('+'));
            return name.EndsWith('+') && Comparer<T>.Default.Compare(value, named) > 0 ? value : named;
        }
    }
}
