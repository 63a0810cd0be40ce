// The measured time: its length, the server's CPU time in it, and a histogram of latencies.
#include "load.h"

// 64 steps for each power of two: values are right within 1.6 %.
enum { STEPS = 64, SLOTS = 64 * STEPS };
static uint64_t slots[SLOTS], latencies;

uint64_t cpu_of_server(void)
{
    if (!options.pid) return 0;
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(options.pid, &clock) || clock_gettime(clock, &time)) fail("the server is gone");
    return time.tv_sec * 1000000000ull + time.tv_nsec;
}

// A server is warm when it has had this much CPU time, unless it never gets it: runtimes that compile at run time need work, not time.
int is_warm(uint64_t begun, uint64_t cpu_begun)
{
    double passed = (now() - begun) / 1e9, used = (cpu_of_server() - cpu_begun) / 1e9;
    return passed >= options.warm && (used >= 0.8 * options.warm || passed >= 6 * options.warm);
}

// How long the server's core was idle: distinguishes a load that is too slow from a machine that other processes use as well.
static uint64_t idle_of_core(void)
{
    static char text[65536], name[16];
    if (options.server_cpu < 0) return 0;
    FILE *file = fopen("/proc/stat", "r");
    if (!file) return 0;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    sprintf(name, "\ncpu%d ", options.server_cpu);
    unsigned long long user, nice, system, idle, wait;
    char *line = strstr(text, name);
    if (!line || sscanf(strchr(line, ' '), "%llu %llu %llu %llu %llu", &user, &nice, &system, &idle, &wait) != 5) return 0;
    return (idle + wait) * (1000000000 / sysconf(_SC_CLK_TCK));
}

void begin_window(struct window *window)
{
    window->idle_begun = idle_of_core();
    window->cpu_begun = cpu_of_server();
    window->work_begun = work_done();
    window->begun = now();
}

void end_window(struct window *window)
{
    window->ended = now();
    window->work = work_done() - window->work_begun;
    window->cpu = cpu_of_server() - window->cpu_begun;
    window->idle = idle_of_core() - window->idle_begun;
}

void report(const struct window *window, uint64_t messages, uint64_t bytes, uint64_t all_messages)
{
    double seconds = (window->ended - window->begun) / 1e9;
    printf("seconds %.6f\nmessages %llu\nbytes %llu\ncpu %.9f\nidle %.6f\nall_messages %llu\n", seconds,
        (unsigned long long)messages, (unsigned long long)bytes, window->cpu / 1e9, window->idle / 1e9, (unsigned long long)all_messages);
    if (options.burn) printf("work_left %.6f\n", part_of_work(window->work, seconds));
}

void clear_latencies(void)
{
    memset(slots, 0, sizeof slots);
    latencies = 0;
}

void add_latency(uint64_t nanoseconds)
{
    int shift = nanoseconds < STEPS ? 0 : 63 - __builtin_clzll(nanoseconds) - 5;
    slots[shift * STEPS / 2 + (nanoseconds >> shift)]++;
    latencies++;
}

static double percentile(double part)
{
    uint64_t wanted = latencies * part, seen = 0;
    for (int i = 0; i < SLOTS; i++) {
        seen += slots[i];
        if (seen <= wanted) continue;
        if (i < STEPS) return i;
        int shift = i / (STEPS / 2) - 1;
        return (double)((uint64_t)(i - shift * STEPS / 2) << shift);
    }

    return 0;
}

void report_latencies(void)
{
    if (latencies == 0) return;
    printf("p50 %.9f\np99 %.9f\np999 %.9f\n", percentile(0.5) / 1e9, percentile(0.99) / 1e9, percentile(0.999) / 1e9);
}
