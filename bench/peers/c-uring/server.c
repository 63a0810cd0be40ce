// The other floor: io_uring with task work deferred to the one thread, one receive or one send in flight for each connection.
// server echo PORT SIZE LOOPS
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <liburing.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 4096, ENTRIES = 4096 };

struct connection {
    int fd;
    int is_sending;
    size_t length, sent, ready; // in the buffer; ready is the end of the last whole line
    char buffer[BUFFER];
};

static struct io_uring ring;
static int listener;

static struct io_uring_sqe *next_entry(void)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring);
    if (entry) return entry;
    io_uring_submit(&ring);
    return io_uring_get_sqe(&ring);
}

static void receive(struct connection *connection)
{
    struct io_uring_sqe *entry = next_entry();
    io_uring_prep_recv(entry, connection->fd, connection->buffer + connection->length, BUFFER - connection->length, 0);
    io_uring_sqe_set_data(entry, connection);
    connection->is_sending = 0;
}

static void send_lines(struct connection *connection)
{
    struct io_uring_sqe *entry = next_entry();
    io_uring_prep_send(entry, connection->fd, connection->buffer + connection->sent, connection->ready - connection->sent, MSG_NOSIGNAL);
    io_uring_sqe_set_data(entry, connection);
    connection->is_sending = 1;
}

static void end(struct connection *connection)
{
    close(connection->fd);
    free(connection);
}

static void received(struct connection *connection, size_t count)
{
    connection->length += count;
    // Line by line, as a server would handle them.
    for (char *end; (end = memchr(connection->buffer + connection->ready, '\n', connection->length - connection->ready)); )
        connection->ready = end + 1 - connection->buffer;
    if (connection->ready > 0) send_lines(connection);
    else if (connection->length < BUFFER) receive(connection);
    else end(connection);
}

static void sent(struct connection *connection, size_t count)
{
    connection->sent += count;
    if (connection->sent < connection->ready) {
        send_lines(connection);
        return;
    }

    connection->length -= connection->ready;
    memmove(connection->buffer, connection->buffer + connection->ready, connection->length);
    connection->ready = connection->sent = 0;
    receive(connection);
}

static void complete(struct io_uring_cqe *completion)
{
    struct connection *connection = io_uring_cqe_get_data(completion);
    int result = completion->res;
    if (connection) {
        if (result <= 0) end(connection);
        else if (connection->is_sending) sent(connection, result);
        else received(connection, result);
        return;
    }

    if (!(completion->flags & IORING_CQE_F_MORE)) io_uring_prep_multishot_accept(next_entry(), listener, NULL, NULL, 0);
    if (result < 0) return;
    connection = calloc(1, sizeof *connection);
    connection->fd = result;
    receive(connection);
}

int main(int count, char **arguments)
{
    if (count < 3 || strcmp(arguments[1], "echo")) return 2;
    int on = 1;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(atoi(arguments[2])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (bind(listener, (void *)&address, sizeof address) || listen(listener, 1024)) return 1;
    // In the kernel since 6.1, but not in every header.
    struct io_uring_params parameters = { .flags = IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE | (1u << 12) | (1u << 13), .cq_entries = 16 * ENTRIES };
    if (io_uring_queue_init_params(ENTRIES, &ring, &parameters)) return 1;
    struct io_uring_sqe *entry = next_entry();
    io_uring_prep_multishot_accept(entry, listener, NULL, NULL, 0);
    io_uring_sqe_set_data(entry, NULL);
    puts("ready");
    fflush(stdout);

    for (;;) {
        io_uring_submit_and_wait(&ring, 1);
        struct io_uring_cqe *completion;
        unsigned head, seen = 0;
        io_uring_for_each_cqe(&ring, head, completion) {
            complete(completion);
            seen++;
        }

        io_uring_cq_advance(&ring, seen);
    }
}
