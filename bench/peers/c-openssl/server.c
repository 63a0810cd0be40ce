// The floor for TLS: OpenSSL on one thread, epoll, level-triggered, registered once. Session tickets as OpenSSL's default.
// server echo PORT SIZE LOOPS CERTIFICATE KEY
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 16 * 1024 };

struct connection {
    SSL *ssl;
    char *out;                        // lines that are to be sent back, and behind them the line that has begun
    size_t length, room, ready, sent; // ready: how much of it is whole lines
    int awaits_room;                  // the socket is full: registered for writing, and not for reading
};

static int epoll;

static SSL_CTX *make_context(const char *certificate, const char *key, int saves_memory)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // Trades an allocation per message for less memory of idle connections: on only if memory is measured.
    if (saves_memory) SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    // One receive brings a record's header and body.
    SSL_CTX_set_read_ahead(context, 1);
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1 || SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) exit(1);
    return context;
}

static void wait_for(struct connection *connection, int operation, uint32_t wanted)
{
    struct epoll_event event = { .events = wanted, .data.ptr = connection };
    epoll_ctl(epoll, operation, SSL_get_fd(connection->ssl), &event);
}

static void end(struct connection *connection, int is_broken)
{
    int fd = SSL_get_fd(connection->ssl);
    if (!is_broken) SSL_shutdown(connection->ssl);
    SSL_free(connection->ssl);
    close(fd);
    free(connection->out);
    free(connection);
}

static void keep(struct connection *connection, const char *data, size_t length)
{
    if (connection->length + length > connection->room) {
        connection->room = 2 * (connection->length + length);
        connection->out = realloc(connection->out, connection->room);
    }

    memcpy(connection->out + connection->length, data, length);
    connection->length += length;
    const char *last = memrchr(data, '\n', length);
    if (last) connection->ready = connection->length - (data + length - (last + 1));
}

// How OpenSSL reports a call that did not succeed: 0 if it waits for the socket, -1 if the connection has ended.
static int check(struct connection *connection, int result)
{
    int error = SSL_get_error(connection->ssl, result);
    if (error == SSL_ERROR_WANT_READ) return 0;
    if (error == SSL_ERROR_WANT_WRITE) {
        wait_for(connection, EPOLL_CTL_MOD, EPOLLOUT);
        connection->awaits_room = 1;
        return 0;
    }

    end(connection, error != SSL_ERROR_ZERO_RETURN);
    return -1;
}

// Does the handshake, and reads what has arrived. The epoll is level-triggered: if OpenSSL has nothing left, the kernel need not be asked.
static int receive(struct connection *connection)
{
    static char in[BUFFER];
    do {
        ERR_clear_error();
        int count = SSL_read(connection->ssl, in, sizeof in);
        if (count <= 0) return check(connection, count);
        keep(connection, in, count);
    } while (SSL_has_pending(connection->ssl));
    return 0;
}

static void answer(struct connection *connection)
{
    while (connection->sent < connection->ready) {
        ERR_clear_error();
        int count = SSL_write(connection->ssl, connection->out + connection->sent, connection->ready - connection->sent);
        if (count <= 0) {
            check(connection, count);
            return;
        }

        connection->sent += count;
    }

    connection->length -= connection->sent;
    memmove(connection->out, connection->out + connection->sent, connection->length);
    connection->ready = connection->sent = 0;
}

static void serve(struct connection *connection)
{
    if (connection->awaits_room) {
        wait_for(connection, EPOLL_CTL_MOD, EPOLLIN);
        connection->awaits_room = 0;
    }

    // A peer that does not receive its answers is not read from.
    if (connection->sent == connection->ready && receive(connection)) return;
    answer(connection);
}

static void accept_all(int listener, SSL_CTX *context)
{
    int on = 1;
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct connection *connection = calloc(1, sizeof *connection);
        connection->ssl = SSL_new(context);
        SSL_set_fd(connection->ssl, fd);
        SSL_set_accept_state(connection->ssl);
        wait_for(connection, EPOLL_CTL_ADD, EPOLLIN);
    }
}

static int listen_on(int port)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (bind(listener, (void *)&address, sizeof address) || listen(listener, 1024)) exit(1);
    struct epoll_event event = { .events = EPOLLIN };
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    return listener;
}

int main(int count, char **arguments)
{
    if (count < 7 || strcmp(arguments[1], "echo")) return 2;
    signal(SIGPIPE, SIG_IGN);
    SSL_CTX *context = make_context(arguments[5], arguments[6], atoi(arguments[3]) == 0);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_on(atoi(arguments[2]));
    puts("ready");
    fflush(stdout);

    struct epoll_event events[256];
    for (;;) {
        int ready = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr) serve(events[i].data.ptr);
            else accept_all(listener, context);
        }
    }
}
