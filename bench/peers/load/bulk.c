// One connection full of data, in one direction.
#include "load.h"
#include <sys/mman.h>
#include <sys/sendfile.h>

// sendfile from memory saves the load the copy, so that the server is the slower side.
static int lines_in_memory(void)
{
    static char data[CHUNK];
    for (int i = 0; i < CHUNK; i++) data[i] = i % LINE == LINE - 1 ? '\n' : 'a' + i / LINE % 26;
    int fd = memfd_create("lines", 0);
    if (write(fd, data, CHUNK) != CHUNK) fail("memfd");
    return fd;
}

static uint64_t fill(struct connection *connection, int source, const char *copy, uint64_t end)
{
    uint64_t sent = 0;
    while (now() < end || sent % LINE != 0) {
        off_t offset = sent % CHUNK;
        size_t length = now() < end ? (size_t)(CHUNK - offset) : LINE - sent % LINE;
        ssize_t count = connection->ssl ? send_some(connection, copy + offset, length) : sendfile(connection->fd, source, &offset, length);
        if (count <= 0) fail("send");
        sent += count;
    }

    return sent;
}

static uint64_t fill_and_check(int source, const char *copy, int answers_lines, double seconds)
{
    struct connection connection;
    open_connection(&connection);
    uint64_t sent = fill(&connection, source, copy, now() + seconds * 1e9);
    finish_sending(&connection);
    uint64_t unit = answers_lines ? LINE : 1;
    if ((uint64_t)read_number(&connection) != sent / unit) fail("the server counted something else");
    close_connection(&connection);
    return sent;
}

void run_sink(int answers_lines)
{
    int source = lines_in_memory();
    char *copy = mmap(NULL, CHUNK, PROT_READ, MAP_PRIVATE, source, 0);
    uint64_t warm = 0, begun = now(), cpu = cpu_of_server();
    while (!is_warm(begun, cpu)) warm += fill_and_check(source, copy, answers_lines, options.warm / 2);
    struct window window;
    begin_window(&window);
    uint64_t sent = fill_and_check(source, copy, answers_lines, options.seconds);
    end_window(&window);
    report(&window, sent / LINE, sent, (sent + warm) / LINE);
}

// The server is asked for a number of bytes, and byte i has to be i modulo 256. If they are not checked, they are not copied.
static void drain(uint64_t bytes, int compares)
{
    static unsigned char buffer[CHUNK];
    struct connection connection;
    open_connection(&connection);
    char request[32];
    send_all(&connection, request, sprintf(request, "%llu\n", (unsigned long long)bytes));
    for (uint64_t received = 0; received < bytes;) {
        ssize_t count = connection.ssl || compares ? receive_some(&connection, buffer, sizeof buffer)
            : recv(connection.fd, NULL, 1 << 30, MSG_TRUNC);
        if (count <= 0) fail("the server ended too early");
        for (ssize_t i = 0; compares && i < count; i++)
            if (buffer[i] != (unsigned char)(received + i)) fail("a byte is wrong");
        received += count;
    }

    close_connection(&connection);
}

void run_source(void)
{
    uint64_t warm = 0, step = 8 << 20, begun = now(), cpu = cpu_of_server();
    double rate;
    drain(step, 1);
    do {
        uint64_t start = now();
        drain(step, 0);
        rate = step / ((now() - start) / 1e9);
        warm += step;
    } while (!is_warm(begun, cpu));

    uint64_t bytes = (uint64_t)(rate * options.seconds / 65536 + 1) * 65536;
    struct window window;
    begin_window(&window);
    drain(bytes, 0);
    end_window(&window);
    report(&window, bytes / 65536, bytes, (bytes + warm) / 65536);
}
