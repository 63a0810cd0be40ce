// Each connection sends a request, waits for the whole answer, compares it, and sends the next.
#include "load.h"
#include <sys/epoll.h>

static uint64_t answers;

static void send_request(struct connection *connection)
{
    connection->received = 0;
    connection->sent_at = now();
    send_all(connection, connection->request, LINE * options.lines);
}

static void receive_answer(struct connection *connection)
{
    static char buffer[65536];
    int length = LINE * options.lines;
    for (;;) {
        ssize_t count = receive_some(connection, buffer, length - connection->received);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) fail("the server closed a connection");
        if (memcmp(buffer, connection->request + connection->received, count)) fail("the answer is not the request");
        connection->received += count;
        if (connection->received == length) break;
        if (!connection->ssl) return;
    }

    add_latency(now() - connection->sent_at);
    answers++;
    send_request(connection);
}

static void run_until(int epoll, uint64_t end)
{
    struct epoll_event events[256];
    while (now() < end) {
        int count = epoll_wait(epoll, events, 256, options.block ? 100 : 0);
        for (int i = 0; i < count; i++) receive_answer(events[i].data.ptr);
    }
}

void run_pingpong(void)
{
    struct connection *connections = calloc(options.connections, sizeof *connections);
    int epoll = epoll_create1(0);
    for (int i = 0; i < options.connections; i++) {
        open_connection(&connections[i]);
        set_blocking(&connections[i], 0);
        connections[i].request = request_of(i);
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = &connections[i] };
        epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &event);
    }

    wait_if_held("connected");
    for (int i = 0; i < options.connections; i++) send_request(&connections[i]);
    uint64_t begun = now(), cpu = cpu_of_server();
    while (!is_warm(begun, cpu)) run_until(epoll, now() + 20000000);

    struct window window;
    uint64_t warm_answers = answers;
    answers = 0;
    clear_latencies();
    begin_window(&window);
    run_until(epoll, window.begun + options.seconds * 1e9);
    end_window(&window);
    uint64_t messages = answers * options.lines;
    report(&window, messages, messages * LINE, messages + warm_answers * options.lines);
    report_latencies();
    wait_if_held("done");
    for (int i = 0; i < options.connections; i++) close_connection(&connections[i]);
}
