/* The load generator: as many clients as a plan says, in one thread, and no Python between a
 * message and its time.
 *
 * Says on stdout, a line each: `ready N`, `begin`, `end`, `result {...}`, `recording`. Does what
 * stdin says:
 *
 *     open N             have N clients open and ready
 *     run WARM SECONDS   publishers publish at their interval; measured after WARM seconds
 *     flood N            each publisher sends N readings as fast as they are acknowledged
 *     record FILE        from now on what viewers hear is written down, with the time
 *     quit
 */
#define _GNU_SOURCE
#include "clients.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 512 };
static const uint64_t SECOND_NS = 1000000000u;

struct clock {
    int timer;
    uint64_t start_ns;
    long tick;
    int told_begin;
};

static void tell(const char *line)
{
    puts(line);
    fflush(stdout);
}

static int by_size(const void *one, const void *other)
{
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return a < b ? -1 : a > b;
}

static double share_of(struct load *load, double share)
{
    size_t count = load->latency_count, at = (size_t)((double)count * share);
    if (!count)
        return 0;
    return load->latencies_us[at < count ? at : count - 1];
}

static void tell_result(struct load *load, uint64_t began_ns, uint64_t ended_ns)
{
    qsort(load->latencies_us, load->latency_count, sizeof *load->latencies_us, by_size);
    printf("result {\"seconds\": %.6f, \"sent\": %ld, \"expected\": %ld, \"delivered\": %ld, "
           "\"frames\": %ld, \"acknowledged\": %ld, \"others\": %ld, \"p50_us\": %.0f, "
           "\"p99_us\": %.0f, \"max_us\": %.0f}\n",
           (double)(ended_ns - began_ns) / 1e9, load->sent, load->expected, load->delivered,
           load->frames, load->acknowledged, load->others, share_of(load, 0.5),
           share_of(load, 0.99), share_of(load, 1));
    fflush(stdout);
    load->phase = IDLE;
}

static void reset(struct load *load)
{
    load->sent = load->expected = load->delivered = load->frames = 0;
    load->acknowledged = load->others = 0;
    load->publishers_done = 0;
    load->latency_count = 0;
}

/* Publisher number `tick`, and round again: spread evenly over the interval. */
static uint64_t due_ns(struct load *load, struct clock *clock)
{
    uint64_t interval_ns = (uint64_t)load->plan.interval_us * 1000;
    return clock->start_ns + (uint64_t)clock->tick * interval_ns / (uint64_t)load->plan.publisher_count;
}

static void set_timer(struct clock *clock, uint64_t at_ns)
{
    struct itimerspec when = {.it_value = {(time_t)(at_ns / SECOND_NS), (long)(at_ns % SECOND_NS)}};
    timerfd_settime(clock->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void tick(struct load *load, struct clock *clock)
{
    uint64_t expirations, at_ns = now_ns();
    if (read(clock->timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN)
        fail("timer: %s", strerror(errno));
    if (load->phase == DRAINING) {
        tell_result(load, load->begin_ns, load->end_ns);
        return;
    }
    if (load->phase != RUNNING)
        return;
    if (!clock->told_begin && at_ns >= load->begin_ns) {
        clock->told_begin = 1;
        /* What was heard of the messages before is no matter of this measurement. */
        load->frames = load->others = load->acknowledged = 0;
        tell("begin");
    }
    if (at_ns >= load->end_ns) {
        tell("end");
        load->phase = DRAINING;
        set_timer(clock, at_ns + (uint64_t)load->plan.rest_ms * 1000000);
        if (load->delivered >= load->expected)
            tell_result(load, load->begin_ns, load->end_ns);
        return;
    }
    while (due_ns(load, clock) <= at_ns) {
        client_publish(load, load->plan.publishers[clock->tick % load->plan.publisher_count], 1);
        clock->tick++;
    }
    set_timer(clock, due_ns(load, clock));
}

static void run(struct load *load, struct clock *clock, double warm_s, double seconds)
{
    if (!load->plan.publisher_count)
        fail("run: the plan has no publisher");
    reset(load);
    clock->start_ns = now_ns();
    clock->tick = 0;
    clock->told_begin = 0;
    load->begin_ns = clock->start_ns + (uint64_t)(warm_s * 1e9);
    load->end_ns = load->begin_ns + (uint64_t)(seconds * 1e9);
    load->phase = RUNNING;
    set_timer(clock, clock->start_ns);
}

static void flood(struct load *load, long readings)
{
    reset(load);
    load->flood_readings = readings;
    load->begin_ns = now_ns();
    load->end_ns = UINT64_MAX;
    load->phase = FLOODING;
    tell("begin");
    for (int i = 0; i < load->plan.publisher_count; i++)
        client_flood(load, load->plan.publishers[i]);
}

/* What follows from what was heard. */
static void go_on(struct load *load, struct client *client)
{
    if (load->phase == OPENING) {
        clients_open_more(load);
        if (load->ready >= load->wanted) {
            load->phase = IDLE;
            printf("ready %d\n", load->ready);
            fflush(stdout);
        }
    } else if (load->phase == FLOODING && client->publishes) {
        client_flood(load, client);
        if (load->acknowledged >= load->flood_readings * load->plan.publisher_count) {
            tell("end");
            tell_result(load, load->begin_ns, now_ns());
        }
    } else if (load->phase == DRAINING && load->delivered >= load->expected) {
        tell_result(load, load->begin_ns, load->end_ns);
    }
}

static void obey(struct load *load, struct clock *clock, char *line)
{
    double warm_s, seconds;
    long number;
    char path[1024];
    if (sscanf(line, "open %ld", &number) == 1) {
        load->wanted = number < load->plan.client_count ? (int)number : load->plan.client_count;
        load->phase = OPENING;
        clients_open_more(load);
        if (load->ready >= load->wanted)
            go_on(load, load->plan.clients);
    } else if (sscanf(line, "run %lf %lf", &warm_s, &seconds) == 2) {
        run(load, clock, warm_s, seconds);
    } else if (sscanf(line, "flood %ld", &number) == 1) {
        flood(load, number);
    } else if (sscanf(line, "record %1023s", path) == 1) {
        load->record = fopen(path, "w");
        if (!load->record)
            fail("record: %s cannot be written", path);
        tell("recording");
    } else if (!strncmp(line, "quit", 4)) {
        if (load->record)
            fclose(load->record);
        exit(0);
    } else {
        fail("not a command: %s", line);
    }
}

static void hear_commands(struct load *load, struct clock *clock)
{
    static char bytes[4096];
    static size_t length;
    ssize_t got = read(STDIN_FILENO, bytes + length, sizeof bytes - length - 1);
    char *end;
    if (got <= 0)
        exit(0); /* Whoever started this has gone. */
    length += (size_t)got;
    bytes[length] = '\0';
    while ((end = memchr(bytes, '\n', length)) != NULL) {
        size_t size = (size_t)(end + 1 - bytes);
        *end = '\0';
        obey(load, clock, bytes);
        memmove(bytes, bytes + size, length -= size);
    }
}

int main(int count, char **arguments)
{
    struct load load = {0};
    struct clock clock = {0};
    struct epoll_event events[EVENTS_AT_ONCE];
    /* Neither is a client: their addresses tell them from those. */
    struct epoll_event commands = {.events = EPOLLIN, .data.ptr = &load};
    struct epoll_event ticks = {.events = EPOLLIN, .data.ptr = &clock};
    if (count != 2)
        fail("usage: load PLAN");
    plan_read(&load.plan, arguments[1]);
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    clock.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    epoll_ctl(load.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &commands);
    epoll_ctl(load.epoll, EPOLL_CTL_ADD, clock.timer, &ticks);
    for (;;) {
        int found = epoll_wait(load.epoll, events, EVENTS_AT_ONCE, -1);
        if (found < 0 && errno != EINTR)
            fail("epoll: %s", strerror(errno));
        for (int i = 0; i < found; i++) {
            void *who = events[i].data.ptr;
            if (who == &load) {
                hear_commands(&load, &clock);
            } else if (who == &clock) {
                tick(&load, &clock);
            } else {
                client_serve(&load, who, events[i].events);
                go_on(&load, who);
            }
        }
    }
}
