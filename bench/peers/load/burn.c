// Two programs that never rest, one per core, for runs that measure what the server costs other programs.
#include "load.h"
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static volatile uint64_t *work;
static double alone; // units of work a second while nothing else runs

static void burn(volatile uint64_t *counter, int cpu)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pin_to(cpu);
    for (volatile uint64_t i = 0;; i++)
        if (i % 1024 == 0) ++*counter;
}

uint64_t work_done(void)
{
    return work ? work[0] + work[8] : 0;
}

void start_burning(void)
{
    if (options.cpu < 0 || options.server_cpu < 0) fail("no cores to burn");
    work = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int cpus[] = { options.cpu, options.server_cpu };
    // Each counter has its own cache line.
    for (int i = 0; i < 2; i++)
        if (fork() == 0) burn(work + 8 * i, cpus[i]);
    usleep(50000);
    uint64_t begun = now(), before = work_done();
    usleep(options.seconds * 1e6);
    alone = (work_done() - before) / ((now() - begun) / 1e9);
}

double part_of_work(uint64_t done, double seconds)
{
    return done / seconds / alone;
}
