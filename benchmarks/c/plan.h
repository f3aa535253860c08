/* What the load generator is to do: who connects, what each says, what is measured. */
#ifndef PLAN_H
#define PLAN_H

#include <stdint.h>

#include "frames.h"

struct text {
    char *bytes;
    size_t length;
};

/* What a client sends, or waits to hear, before it is ready. */
struct step {
    int awaits;
    struct text text;
};

enum state { CLOSED, UPGRADING, TALKING, READY };

struct client {
    int fd;
    int publishes; /* else it watches */
    int group;
    char *path;
    enum state state;
    struct step *steps;
    int step_count, at_step;
    struct text *messages; /* a publisher's, sent in turn */
    int message_count;
    long messages_sent;
    long readings_sent, readings_answered;
    struct buffer in, out;
    int wants_room;
};

/* When each reading of a publisher was sent, by its number less FIRST_NUMBER; 0 if it was not. */
struct group {
    uint64_t *sent_ns;
    long count, room;
    long watchers;
};

/* So high that every number has as many digits, and every message the same size. */
enum { FIRST_NUMBER = 1000000 };

struct plan {
    char host[64];
    int port;
    char subprotocol[64];
    long interval_us;          /* between two messages of one publisher */
    long readings_per_message; /* in a flood */
    long window;               /* readings that may be under way in a flood */
    long rest_ms; /* what is under way may take so long once nothing more is sent */
    struct client *clients;
    int client_count;
    struct client **publishers;
    int publisher_count;
    struct group *groups;
    int group_count;
};

/* A plan is lines of text, each a word and what belongs to it:
 *
 *     address HOST PORT              subprotocol NAME|-
 *     interval MICROSECONDS          flood READINGS_PER_MESSAGE WINDOW
 *     rest MILLISECONDS
 *     client publisher|viewer GROUP PATH        begins a client, to which the following belong
 *     await TEXT                     goes on when a message with this text in it has come
 *     send TEXT                      sends it
 *     message TEXT                   what a publisher publishes; @S is the number, @E the time
 */
void plan_read(struct plan *plan, const char *path);

/* A message with its placeholders filled in, in `out`. */
void plan_fill(struct buffer *out, const struct text *message, long number, long long elapsed_ms);

#endif
