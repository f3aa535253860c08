/* The load generator's connections: opening them, speaking on them, hearing on them. */
#ifndef CLIENTS_H
#define CLIENTS_H

#include <stdio.h>

#include "plan.h"

enum phase { IDLE, OPENING, RUNNING, DRAINING, FLOODING };

struct load {
    struct plan plan;
    enum phase phase;
    int epoll;
    int begun;  /* clients that were started */
    int ready;  /* of these, those that have said and heard all their steps */
    int wanted; /* how many shall be ready */
    uint64_t begin_ns, end_ns; /* what was sent between them is measured */
    long sent, expected, delivered, frames, acknowledged, others;
    long flood_readings; /* what each publisher is to send */
    int publishers_done;
    uint32_t *latencies_us;
    size_t latency_count, latency_room;
    FILE *record;
};

uint64_t now_ns(void);

/* Starts clients in order, not too many at once, until as many as wanted are on their way. */
void clients_open_more(struct load *load);

/* Reads and writes what can be, on one client that epoll has named. */
void client_serve(struct load *load, struct client *client, uint32_t events);

/* Publishes the next message of a publisher, which holds `readings`. */
void client_publish(struct load *load, struct client *publisher, long readings);

/* Publishes as much as the window takes. */
void client_flood(struct load *load, struct client *publisher);

#endif
