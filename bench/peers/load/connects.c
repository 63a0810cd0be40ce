// Connect (with a handshake for TLS), one line and its echo, close; several at a time.
#include "load.h"
#include <sys/epoll.h>

static int epoll;
static uint64_t ended;

// Never blocks: while one connection waits for the server's part of a handshake, the others continue.
static void send_request(struct connection *connection)
{
    ssize_t count = send_some(connection, connection->request, LINE);
    if (count < 0 && errno == EAGAIN) return;
    if (count != LINE) fail("send");
    connection->is_sent = 1;
}

static void start(struct connection *connection)
{
    const char *request = connection->request;
    begin_connection(connection);
    set_blocking(connection, 0);
    connection->request = request;
    connection->sent_at = now();
    send_request(connection);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
    epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event);
}

static void finish(struct connection *connection)
{
    add_latency(now() - connection->sent_at);
    ended++;
    close_connection(connection);
    start(connection);
}

static void proceed(struct connection *connection)
{
    char answer[LINE];
    if (!connection->is_sent) send_request(connection);
    while (connection->is_sent) {
        ssize_t count = receive_some(connection, answer, LINE - connection->received);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) fail("no answer");
        if (memcmp(answer, connection->request + connection->received, count)) fail("the answer is not the request");
        connection->received += count;
        if (connection->received < LINE) continue;
        finish(connection);
        return;
    }
}

static void run_until(uint64_t end)
{
    struct epoll_event events[64];
    while (now() < end) {
        int count = epoll_wait(epoll, events, 64, options.block ? 100 : 0);
        for (int i = 0; i < count; i++) proceed(events[i].data.ptr);
    }
}

void run_connects(void)
{
    struct connection *connections = calloc(options.connections, sizeof *connections);
    epoll = epoll_create1(0);
    for (int i = 0; i < options.connections; i++) {
        connections[i].request = request_of(i);
        start(&connections[i]);
    }

    uint64_t begun = now(), cpu = cpu_of_server();
    while (!is_warm(begun, cpu)) run_until(now() + 20000000);
    struct window window;
    uint64_t warm = ended;
    ended = 0;
    clear_latencies();
    begin_window(&window);
    run_until(window.begun + options.seconds * 1e9);
    end_window(&window);
    report(&window, ended, ended * LINE, ended + warm);
    report_latencies();
}
