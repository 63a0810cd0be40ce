// The floor: epoll, level-triggered, registered once, one recv and one send for each event.
// server MODE PORT SIZE LOOPS
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 64 * 1024 };

struct connection {
    int fd, index;
    long count;               // lines or bytes so far, or how many are still to be sent
    char *rest;               // an unfinished line, or what could not be sent
    size_t rest_length, rest_room;
};

struct loop {
    int epoll, listener;
    char *in, *out;
};

typedef void handler(struct loop *loop, struct connection *connection, const char *data, size_t length);

static size_t size;
static int port;
static handler *handle;
static struct connection *all[65536];
static int open_count;

static void keep(struct connection *connection, const char *data, size_t length)
{
    if (connection->rest_length + length > connection->rest_room) {
        connection->rest_room = 2 * (connection->rest_length + length);
        connection->rest = realloc(connection->rest, connection->rest_room);
    }

    memcpy(connection->rest + connection->rest_length, data, length);
    connection->rest_length += length;
}

static void send_all(int fd, const char *data, size_t length)
{
    for (size_t sent = 0; sent < length;) {
        ssize_t count = send(fd, data + sent, length - sent, MSG_NOSIGNAL);
        if (count < 0) return;
        sent += count;
    }
}

static void answer_number(struct connection *connection, long number)
{
    char text[32];
    send_all(connection->fd, text, sprintf(text, "%ld\n", number));
}

static void echo(struct loop *loop, struct connection *connection, const char *data, size_t length)
{
    size_t used = 0;
    char *out = loop->out;
    for (const char *end; (end = memchr(data, '\n', length)); ) {
        size_t line = end + 1 - data;
        if (connection->rest_length > 0) {
            memcpy(out + used, connection->rest, connection->rest_length);
            used += connection->rest_length;
            connection->rest_length = 0;
        }

        memcpy(out + used, data, line);
        used += line;
        data += line;
        length -= line;
    }

    if (length > 0) keep(connection, data, length);
    if (used > 0) send_all(connection->fd, out, used);
}

static void count_lines(struct loop *loop, struct connection *connection, const char *data, size_t length)
{
    (void)loop;
    for (const char *end; (end = memchr(data, '\n', length)); ) {
        length -= end + 1 - data;
        data = end + 1;
        connection->count++;
    }
}

static void count_bytes(struct loop *loop, struct connection *connection, const char *data, size_t length)
{
    (void)loop;
    (void)data;
    connection->count += length;
}

static void answer_length(struct loop *loop, struct connection *connection, const char *data, size_t length)
{
    (void)loop;
    keep(connection, data, length);
    if (!memchr(data, '\n', length)) return;
    answer_number(connection, connection->rest_length);
    connection->rest_length = 0;
}

static void answer_exact_length(struct loop *loop, struct connection *connection, const char *data, size_t length)
{
    (void)loop;
    keep(connection, data, length);
    if (connection->rest_length < size) return;
    answer_number(connection, size);
    connection->rest_length = 0;
}

static void send_bytes(struct loop *loop, struct connection *connection, const char *data, size_t length)
{
    (void)length;
    for (long left = atol(data); left > 0; left -= size) send_all(connection->fd, loop->out, left < (long)size ? left : (long)size);
}

static void broadcast(struct loop *loop, struct connection *connection, const char *data, size_t length)
{
    (void)loop;
    (void)connection;
    for (int i = 0; i < open_count; i++) send_all(all[i]->fd, data, length);
}

static void accept_connection(struct loop *loop)
{
    // Blocking: recv is called once for each event, and a send that would block is for the kernel to wait for.
    int fd = accept4(loop->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) return;
    struct connection *connection = calloc(1, sizeof *connection);
    connection->fd = fd;
    if (handle == broadcast) all[connection->index = open_count++] = connection;
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
    epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void end(struct connection *connection)
{
    if (handle == count_lines || handle == count_bytes) answer_number(connection, connection->count);
    if (handle == broadcast) (all[connection->index] = all[--open_count])->index = connection->index;
    close(connection->fd);
    free(connection->rest);
    free(connection);
}

static void *run(void *unused)
{
    (void)unused;
    struct loop loop = { .epoll = epoll_create1(0), .listener = socket(AF_INET, SOCK_STREAM, 0) };
    int on = 1;
    setsockopt(loop.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(loop.listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    setsockopt(loop.listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (bind(loop.listener, (void *)&address, sizeof address) || listen(loop.listener, 1024)) exit(1);
    struct epoll_event events[256], event = { .events = EPOLLIN };
    epoll_ctl(loop.epoll, EPOLL_CTL_ADD, loop.listener, &event);
    size_t room = size > BUFFER ? size : BUFFER;
    loop.in = malloc(room + 1);
    loop.out = malloc(2 * room);
    if (handle == send_bytes)
        for (size_t i = 0; i < room; i++) loop.out[i] = (char)i;
    puts("ready");
    fflush(stdout);

    for (;;) {
        int count = epoll_wait(loop.epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!connection) {
                accept_connection(&loop);
                continue;
            }

            ssize_t received = recv(connection->fd, loop.in, handle == count_bytes ? size : BUFFER, 0);
            if (received <= 0) {
                end(connection);
                continue;
            }

            loop.in[received] = 0;
            handle(&loop, connection, loop.in, received);
        }
    }
}

int main(int count, char **arguments)
{
    if (count < 5) return 2;
    const char *mode = arguments[1];
    port = atoi(arguments[2]);
    size = atoi(arguments[3]);
    handle = !strcmp(mode, "echo") ? echo : !strcmp(mode, "sink-lines") ? count_lines : !strcmp(mode, "sink-bulk") ? count_bytes
        : !strcmp(mode, "source-bulk") ? send_bytes : !strcmp(mode, "message") ? answer_length : !strcmp(mode, "exact") ? answer_exact_length
        : !strcmp(mode, "broadcast") ? broadcast : NULL;
    if (!handle) return 2;
    signal(SIGPIPE, SIG_IGN);
    for (int loops = atoi(arguments[4]); loops > 1; loops--) {
        pthread_t thread;
        pthread_create(&thread, NULL, run, NULL);
    }

    run(NULL);
}
