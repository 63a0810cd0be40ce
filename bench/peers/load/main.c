// load WORKLOAD key=value...: see struct options. Prints "name value" lines.
#include "load.h"
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

struct options options = { .connections = 1, .lines = 1, .warm = 1, .seconds = 1, .cpu = -1, .server_cpu = -1, .bytes = 65536, .piece = 1 };

static void parse(const char *argument)
{
    const char *value = strchr(argument, '=');
    if (!value) fail(argument);
    value++;
    size_t length = value - argument;
    if (!strncmp(argument, "port=", length)) options.port = atoi(value);
    else if (!strncmp(argument, "pid=", length)) options.pid = atoi(value);
    else if (!strncmp(argument, "cpu=", length)) options.cpu = atoi(value);
    else if (!strncmp(argument, "server_cpu=", length)) options.server_cpu = atoi(value);
    else if (!strncmp(argument, "connections=", length)) options.connections = atoi(value);
    else if (!strncmp(argument, "lines=", length)) options.lines = atoi(value);
    else if (!strncmp(argument, "block=", length)) options.block = atoi(value);
    else if (!strncmp(argument, "tls=", length)) options.tls = atoi(value);
    else if (!strncmp(argument, "bytes=", length)) options.bytes = atol(value);
    else if (!strncmp(argument, "piece=", length)) options.piece = atoi(value);
    else if (!strncmp(argument, "every=", length)) options.every = atoi(value);
    else if (!strncmp(argument, "hold=", length)) options.hold = atoi(value);
    else if (!strncmp(argument, "burn=", length)) options.burn = atoi(value);
    else if (!strncmp(argument, "warm=", length)) options.warm = atof(value);
    else if (!strncmp(argument, "seconds=", length)) options.seconds = atof(value);
    else fail(argument);
}

void pin_to(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

// Lets a program attach to the server between the connects and the first message, and detach before the first close.
void wait_if_held(const char *word)
{
    if (!options.hold) return;
    puts(word);
    fflush(stdout);
    getchar();
}

int main(int count, char **arguments)
{
    if (count < 2) fail("usage: load WORKLOAD key=value...");
    for (int i = 2; i < count; i++) parse(arguments[i]);
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (options.cpu >= 0) pin_to(options.cpu);
    if (options.burn) start_burning();

    const char *workload = arguments[1];
    if (!strcmp(workload, "pingpong")) run_pingpong();
    else if (!strcmp(workload, "sink-lines")) run_sink(1);
    else if (!strcmp(workload, "sink-bulk")) run_sink(0);
    else if (!strcmp(workload, "source-bulk")) run_source();
    else if (!strcmp(workload, "connects")) run_connects();
    else if (!strcmp(workload, "broadcast")) run_broadcast();
    else if (!strcmp(workload, "pieces")) run_pieces();
    else if (!strcmp(workload, "idle")) run_idle();
    else if (!strcmp(workload, "rest")) run_rest();
    else fail(workload);
    return 0;
}
