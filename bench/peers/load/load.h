// The load generator: one thread, one epoll, and as little work per message as possible, so that the server is what is measured.
#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 64, PATTERNS = 16, CHUNK = 256 * 1024 };

struct options {
    int port, pid, cpu, server_cpu;
    int connections; // how many at a time
    int lines;       // in one request
    int block;       // sleep in epoll_wait: for runs in which the load does not have its own core
    int tls;         // 12 for TLS 1.2
    long bytes;      // of one message, for the pieces
    int piece;
    int every;       // milliseconds between two lines; 0 for none at all
    int hold;        // wait for a line on standard input before it begins, and for another before the connections are closed
    int burn;        // two other programs keep both cores busy
    double warm, seconds;
};

struct connection {
    int fd;
    void *ssl;
    int is_sent;      // the request
    int received;     // bytes of the awaited answer
    uint64_t sent_at;
    const char *request;
};

// What was measured, between begin_window and end_window.
struct window {
    uint64_t begun, ended;     // ns
    uint64_t cpu_begun, cpu;   // of the server, ns
    uint64_t idle_begun, idle; // of the server's core, ns
    uint64_t work_begun, work; // of the programs that burn
};

// link.c
extern struct options options;
void fail(const char *what);
uint64_t now(void);
int connect_to_server(void);
// For TLS only the connection: its first send does the handshake.
void begin_connection(struct connection *connection);
void open_connection(struct connection *connection);
void close_connection(struct connection *connection);
// Like the system calls, for both kinds of connection. -1 and EAGAIN if it would block.
ssize_t send_some(struct connection *connection, const void *data, size_t length);
ssize_t receive_some(struct connection *connection, void *buffer, size_t length);
void send_all(struct connection *connection, const void *data, size_t length);
void finish_sending(struct connection *connection);
long read_number(struct connection *connection);
void set_blocking(struct connection *connection, int blocking);

// burn.c
void start_burning(void);
uint64_t work_done(void);
double part_of_work(uint64_t done, double seconds);

// window.c
uint64_t cpu_of_server(void);
int is_warm(uint64_t begun, uint64_t cpu_begun);
void begin_window(struct window *window);
void end_window(struct window *window);
void report(const struct window *window, uint64_t messages, uint64_t bytes, uint64_t all_messages);
void clear_latencies(void);
void add_latency(uint64_t nanoseconds);
void report_latencies(void);

// One file each.
void run_pingpong(void);
void run_sink(int answers_lines);
void run_source(void);
void run_connects(void);
void run_broadcast(void);
void run_pieces(void);
void run_idle(void);
void run_rest(void);

const char *request_of(int connection);
void pin_to(int cpu);
void wait_if_held(const char *word);
