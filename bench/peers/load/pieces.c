// One long message, ended by a newline, in small pieces. The server answers with its length. A message is a byte here.
#include "load.h"

static void send_message(struct connection *connection, const char *data)
{
    for (long sent = 0; sent < options.bytes;) {
        long length = options.bytes - sent < options.piece ? options.bytes - sent : options.piece;
        send_all(connection, data, length);
        sent += length;
    }

    send_all(connection, "\n", 1);
    if (read_number(connection) != options.bytes + 1) fail("the server counted something else");
}

void run_pieces(void)
{
    char *data = malloc(options.piece);
    memset(data, 'x', options.piece);
    struct connection connection;
    open_connection(&connection);
    uint64_t messages = 0, warm = 0, begun = now(), cpu = cpu_of_server();
    do {
        send_message(&connection, data);
        warm++;
    } while (!is_warm(begun, cpu));

    struct window window;
    begin_window(&window);
    do {
        send_message(&connection, data);
        messages++;
    } while (now() < window.begun + options.seconds * 1e9);
    end_window(&window);
    uint64_t bytes = options.bytes + 1;
    report(&window, messages * bytes, messages * bytes, (messages + warm) * bytes);
    close_connection(&connection);
}
