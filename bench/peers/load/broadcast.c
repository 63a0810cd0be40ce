// One connection sends a line, the server sends it to all; when all have received it, the next. A message is a received line.
#include "load.h"
#include <sys/epoll.h>

static struct connection *connections;
static int epoll, missing;
static uint64_t arrived, sent_at;

static void send_line(void)
{
    missing = options.connections;
    sent_at = now();
    send_all(&connections[0], request_of(0), LINE);
}

static void receive_line(struct connection *connection)
{
    char line[LINE];
    ssize_t count = receive_some(connection, line, LINE - connection->received);
    if (count <= 0) fail("the server closed a connection");
    if (memcmp(line, request_of(0) + connection->received, count)) fail("a line is wrong");
    connection->received += count;
    if (connection->received < LINE) return;
    connection->received = 0;
    arrived++;
    add_latency(now() - sent_at);
    if (--missing == 0) send_line();
}

static void run_until(uint64_t end)
{
    struct epoll_event events[256];
    while (now() < end) {
        int count = epoll_wait(epoll, events, 256, options.block ? 100 : 0);
        for (int i = 0; i < count; i++) receive_line(events[i].data.ptr);
    }
}

void run_broadcast(void)
{
    connections = calloc(options.connections, sizeof *connections);
    epoll = epoll_create1(0);
    for (int i = 0; i < options.connections; i++) {
        open_connection(&connections[i]);
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = &connections[i] };
        epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &event);
    }

    // Wait until the server has accepted all of them.
    usleep(300000);
    wait_if_held("connected");
    send_line();
    uint64_t begun = now(), cpu = cpu_of_server();
    while (!is_warm(begun, cpu)) run_until(now() + 20000000);
    struct window window;
    uint64_t warm = arrived;
    arrived = 0;
    clear_latencies();
    begin_window(&window);
    run_until(window.begun + options.seconds * 1e9);
    end_window(&window);
    report(&window, arrived, arrived * LINE, arrived + warm);
    report_latencies();
    wait_if_held("done");
}
