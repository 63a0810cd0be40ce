// Connections to the server, plain or TLS.
#include "load.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#ifdef WITH_TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
#endif

void fail(const char *what)
{
    fprintf(stderr, "load: %s (%s)\n", what, strerror(errno));
    exit(1);
}

uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ull + time.tv_nsec;
}

// The source address changes, so that ports in TIME_WAIT never delay a connect.
int connect_to_server(void)
{
    static unsigned next;
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (fd < 0) fail("socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002 + next++ % 200) };
    if (bind(fd, (void *)&address, sizeof address)) fail("bind");
    address.sin_port = htons(options.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (void *)&address, sizeof address)) fail("connect");
    return fd;
}

#ifdef WITH_TLS
static SSL *start_tls(int fd)
{
    static SSL_CTX *context;
    if (!context) {
        context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        if (options.tls == 12) SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    }

    // No session of an earlier connection: every handshake is a full one.
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    SSL_set_tlsext_host_name(ssl, "localhost");
    SSL_set_connect_state(ssl);
    return ssl;
}

static ssize_t result_of(SSL *ssl, int result)
{
    if (result > 0) return result;
    int error = SSL_get_error(ssl, result);
    if (error == SSL_ERROR_ZERO_RETURN) return 0;
    if (error == SSL_ERROR_SYSCALL && errno == 0) return 0;
    errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : EIO;
    return -1;
}
#endif

void begin_connection(struct connection *connection)
{
    memset(connection, 0, sizeof *connection);
    connection->fd = connect_to_server();
    if (!options.tls) return;
#ifdef WITH_TLS
    connection->ssl = start_tls(connection->fd);
#else
    fail("built without TLS");
#endif
}

void open_connection(struct connection *connection)
{
    begin_connection(connection);
#ifdef WITH_TLS
    if (connection->ssl && SSL_connect(connection->ssl) != 1) fail("TLS handshake");
#endif
}

void close_connection(struct connection *connection)
{
#ifdef WITH_TLS
    if (connection->ssl) {
        SSL_shutdown(connection->ssl);
        SSL_free(connection->ssl);
    }
#endif
    close(connection->fd);
}

void set_blocking(struct connection *connection, int blocking)
{
    int flags = fcntl(connection->fd, F_GETFL);
    fcntl(connection->fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

ssize_t send_some(struct connection *connection, const void *data, size_t length)
{
#ifdef WITH_TLS
    if (connection->ssl) {
        ERR_clear_error();
        return result_of(connection->ssl, SSL_write(connection->ssl, data, length));
    }
#endif
    return send(connection->fd, data, length, MSG_NOSIGNAL);
}

ssize_t receive_some(struct connection *connection, void *buffer, size_t length)
{
#ifdef WITH_TLS
    if (connection->ssl) {
        ERR_clear_error();
        errno = 0;
        return result_of(connection->ssl, SSL_read(connection->ssl, buffer, length));
    }
#endif
    return recv(connection->fd, buffer, length, 0);
}

void send_all(struct connection *connection, const void *data, size_t length)
{
    for (size_t sent = 0; sent < length;) {
        ssize_t count = send_some(connection, (const char *)data + sent, length - sent);
        if (count > 0) sent += count;
        else if (count < 0 && errno == EAGAIN) poll(&(struct pollfd){ connection->fd, POLLOUT, 0 }, 1, -1);
        else fail("send");
    }
}

void finish_sending(struct connection *connection)
{
#ifdef WITH_TLS
    if (connection->ssl) SSL_shutdown(connection->ssl);
#endif
    shutdown(connection->fd, SHUT_WR);
}

// A line with a decimal number: how servers report their counts. Blocks.
long read_number(struct connection *connection)
{
    char text[32];
    size_t length = 0;
    while (length < sizeof text - 1) {
        ssize_t count = receive_some(connection, text + length, 1);
        if (count <= 0) fail("no number came back");
        if (text[length] == '\n') break;
        length++;
    }

    text[length] = 0;
    return atol(text);
}

// All lines of one request. They differ between connections, so that an answer on the wrong connection is detected.
const char *request_of(int connection)
{
    static char *requests[PATTERNS];
    char **request = &requests[connection % PATTERNS];
    if (!*request) {
        *request = malloc(LINE * options.lines);
        for (int i = 0; i < options.lines; i++) {
            char *line = *request + i * LINE;
            memset(line, 'a' + connection % PATTERNS, LINE);
            line[0] = 'A' + i % 26;
            line[LINE - 1] = '\n';
        }
    }

    return *request;
}
