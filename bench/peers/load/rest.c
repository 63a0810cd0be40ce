// Connections that are idle, or send a line now and then on one of them: what a server takes while there is little to do.
#include "load.h"

static void play_line(struct connection *connection)
{
    char answer[LINE];
    connection->sent_at = now();
    send_all(connection, request_of(0), LINE);
    for (ssize_t received = 0, count; received < LINE; received += count) {
        count = receive_some(connection, answer + received, LINE - received);
        if (count <= 0) fail("no answer");
    }
}

void run_rest(void)
{
    struct connection *connections = calloc(options.connections + 1, sizeof *connections);
    for (int i = 0; i < options.connections; i++) {
        open_connection(&connections[i]);
        play_line(&connections[i]);
    }

    usleep(options.warm * 1e6);
    struct window window;
    uint64_t lines = 0;
    clear_latencies();
    begin_window(&window);
    for (uint64_t end = window.begun + options.seconds * 1e9; now() < end;) {
        usleep(options.every ? options.every * 1000 : options.seconds * 1e6);
        if (!options.every) continue;
        play_line(&connections[0]);
        add_latency(now() - connections[0].sent_at);
        lines++;
    }

    end_window(&window);
    report(&window, lines, lines * LINE, lines);
    report_latencies();
    for (int i = 0; i < options.connections; i++) close_connection(&connections[i]);
}
