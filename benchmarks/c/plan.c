/* Reads a plan, and fills in its messages. */
#define _GNU_SOURCE
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

static struct text copy(const char *bytes)
{
    struct text text = {.length = strlen(bytes)};
    text.bytes = get_memory(NULL, text.length + 1);
    memcpy(text.bytes, bytes, text.length + 1);
    return text;
}

static struct client *add_client(struct plan *plan, const char *rest)
{
    char role[16], path[256];
    struct client *client;
    int group;
    if (sscanf(rest, "%15s %d %255s", role, &group, path) != 3 || group < 0)
        fail("plan: not a client: %s", rest);
    plan->clients =
        get_memory(plan->clients, sizeof *plan->clients * (size_t)(plan->client_count + 1));
    client = &plan->clients[plan->client_count++];
    *client = (struct client){.fd = -1, .group = group, .path = copy(path).bytes};
    client->publishes = strcmp(role, "publisher") == 0;
    if (group >= plan->group_count) {
        plan->groups = get_memory(plan->groups, sizeof *plan->groups * (size_t)(group + 1));
        for (; plan->group_count <= group; plan->group_count++)
            plan->groups[plan->group_count] = (struct group){0};
    }
    return client;
}

static void add_step(struct client *client, const char *rest, int awaits)
{
    client->steps =
        get_memory(client->steps, sizeof *client->steps * (size_t)(client->step_count + 1));
    client->steps[client->step_count++] = (struct step){awaits, copy(rest)};
}

static void add_message(struct client *client, const char *rest)
{
    client->messages =
        get_memory(client->messages, sizeof *client->messages * (size_t)(client->message_count + 1));
    client->messages[client->message_count++] = copy(rest);
}

static void read_line(struct plan *plan, const char *word, const char *rest)
{
    struct client *last = plan->client_count ? &plan->clients[plan->client_count - 1] : NULL;
    if (!strcmp(word, "address")) {
        if (sscanf(rest, "%63s %d", plan->host, &plan->port) != 2)
            fail("plan: not an address: %s", rest);
    } else if (!strcmp(word, "subprotocol")) {
        snprintf(plan->subprotocol, sizeof plan->subprotocol, "%s", rest);
    } else if (!strcmp(word, "interval")) {
        plan->interval_us = atol(rest);
    } else if (!strcmp(word, "rest")) {
        plan->rest_ms = atol(rest);
    } else if (!strcmp(word, "flood")) {
        if (sscanf(rest, "%ld %ld", &plan->readings_per_message, &plan->window) != 2)
            fail("plan: not a flood: %s", rest);
    } else if (!strcmp(word, "client")) {
        add_client(plan, rest);
    } else if (last && !strcmp(word, "await")) {
        add_step(last, rest, 1);
    } else if (last && !strcmp(word, "send")) {
        add_step(last, rest, 0);
    } else if (last && last->publishes && !strcmp(word, "message")) {
        add_message(last, rest);
    } else {
        fail("plan: not understood here: %s", word);
    }
}

void plan_read(struct plan *plan, const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    if (!file)
        fail("plan: %s cannot be read", path);
    *plan = (struct plan){.subprotocol = "-", .interval_us = 1000000, .rest_ms = 10000};
    while ((length = getline(&line, &room, file)) > 0) {
        char *rest = strchr(line, ' ');
        line[strcspn(line, "\n")] = '\0';
        if (!rest)
            fail("plan: a line of one word: %s", line);
        *rest++ = '\0';
        read_line(plan, line, rest);
    }
    free(line);
    fclose(file);
    for (int i = 0; i < plan->client_count; i++) {
        struct client *client = &plan->clients[i];
        if (!client->publishes)
            continue;
        if (!client->message_count)
            fail("plan: a publisher without a message");
        plan->publishers = get_memory(plan->publishers,
                                      sizeof *plan->publishers * (size_t)(plan->publisher_count + 1));
        plan->publishers[plan->publisher_count++] = client;
    }
}

void plan_fill(struct buffer *out, const struct text *message, long number, long long elapsed_ms)
{
    const char *at = message->bytes, *end = message->bytes + message->length, *mark;
    out->length = 0;
    while ((mark = memchr(at, '@', (size_t)(end - at))) != NULL) {
        char text[24];
        int length = -1;
        if (mark[1] == 'S')
            length = snprintf(text, sizeof text, "%ld", number);
        else if (mark[1] == 'E')
            length = snprintf(text, sizeof text, "%lld", elapsed_ms);
        if (length < 0)
            fail("plan: neither @S nor @E: %.8s", mark);
        buffer_add(out, at, (size_t)(mark - at));
        buffer_add(out, text, (size_t)length);
        at = mark + 2;
    }
    buffer_add(out, at, (size_t)(end - at));
}
