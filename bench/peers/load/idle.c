// Opens connections, sends a line over each, reports it, and keeps them until EOF on standard input.
#include "load.h"

void run_idle(void)
{
    struct connection *connections = calloc(options.connections, sizeof *connections);
    for (int i = 0; i < options.connections; i++) {
        char answer[LINE];
        open_connection(&connections[i]);
        send_all(&connections[i], request_of(0), LINE);
        for (ssize_t received = 0, count; received < LINE; received += count) {
            count = receive_some(&connections[i], answer + received, LINE - received);
            if (count <= 0) fail("no answer");
        }
    }

    printf("ready %d\n", options.connections);
    fflush(stdout);
    while (getchar() != EOF) { }
    for (int i = 0; i < options.connections; i++) close_connection(&connections[i]);
}
