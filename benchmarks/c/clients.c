/* The load generator's connections: opening them, speaking on them, hearing on them. */
#define _GNU_SOURCE
#include "clients.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum {
    OPENING_AT_ONCE = 64, /* a listener's backlog may be 100 */
    TEXT_OF_A_FAULT = 300,
};

uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int index_of(struct load *load, struct client *client)
{
    return (int)(client - load->plan.clients);
}

static void flush(struct load *load, struct client *client)
{
    while (client->out.length) {
        ssize_t sent = send(client->fd, client->out.bytes, client->out.length, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno != EAGAIN)
                fail("client %d: cannot send: %s", index_of(load, client), strerror(errno));
            break;
        }
        buffer_drop(&client->out, (size_t)sent);
    }
    if (client->wants_room != (client->out.length > 0)) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        client->wants_room = client->out.length > 0;
        if (client->wants_room)
            event.events |= EPOLLOUT;
        epoll_ctl(load->epoll, EPOLL_CTL_MOD, client->fd, &event);
    }
}

static void say(struct load *load, struct client *client, int opcode, const char *bytes, size_t size)
{
    frame_write(&client->out, opcode, bytes, size, 1);
    flush(load, client);
}

static void begin(struct load *load, struct client *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)load->plan.port)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    int on = 1;
    inet_pton(AF_INET, load->plan.host, &address.sin_addr);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        fail("client %d: no socket: %s. Raise the limit: ulimit -n", index_of(load, client),
             strerror(errno));
    /* Blocking, since on loopback it is done at once. */
    if (connect(client->fd, (struct sockaddr *)&address, sizeof address))
        fail("client %d: cannot connect: %s", index_of(load, client), strerror(errno));
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_ctl(load->epoll, EPOLL_CTL_ADD, client->fd, &event);
    client->state = UPGRADING;
    frame_handshake(&client->out, client->path, load->plan.host, load->plan.port,
                    load->plan.subprotocol);
    flush(load, client);
}

void clients_open_more(struct load *load)
{
    while (load->begun < load->wanted && load->begun - load->ready < OPENING_AT_ONCE)
        begin(load, &load->plan.clients[load->begun++]);
}

/* Sends until there is something to wait for, or no step is left. */
static void go_on(struct load *load, struct client *client)
{
    while (client->at_step < client->step_count && !client->steps[client->at_step].awaits) {
        struct text *text = &client->steps[client->at_step++].text;
        say(load, client, OPCODE_TEXT, text->bytes, text->length);
    }
    if (client->at_step < client->step_count)
        return;
    client->state = READY;
    load->ready++;
    if (!client->publishes)
        load->plan.groups[client->group].watchers++;
}

static int holds(struct frame *frame, const char *text)
{
    return memmem(frame->payload, frame->length, text, strlen(text)) != NULL;
}

/* A reading came: how long it took, if it is one of those that are measured. */
static void arrived(struct load *load, struct group *group, long number, uint64_t at_ns)
{
    long index = number - FIRST_NUMBER;
    uint64_t sent_ns;
    if (index < 0 || index >= group->count)
        return;
    sent_ns = group->sent_ns[index];
    if (sent_ns < load->begin_ns || sent_ns >= load->end_ns)
        return;
    load->delivered++;
    if (load->latency_count == load->latency_room) {
        load->latency_room = load->latency_room ? load->latency_room * 2 : 65536;
        load->latencies_us =
            get_memory(load->latencies_us, sizeof *load->latencies_us * load->latency_room);
    }
    load->latencies_us[load->latency_count++] = (uint32_t)((at_ns - sent_ns) / 1000);
}

/* The numbers of a message: the first, and then differences. */
static void hear_numbers(struct load *load, struct client *viewer, struct frame *frame, uint64_t at_ns)
{
    static const char mark[] = "\"seq\":[";
    char *end = frame->payload + frame->length;
    char *at = memmem(frame->payload, frame->length, mark, sizeof mark - 1);
    long number = 0;
    if (!at) {
        load->others++;
        return;
    }
    load->frames++;
    at += sizeof mark - 1;
    /* A list ends within its frame, or the frame is not one of a server's. */
    while (at < end && *at != ']') {
        char *next = at;
        number += strtol(at, &next, 10);
        if (next == at || next >= end)
            fail("client %d: a message that is cut off", index_of(load, viewer));
        arrived(load, &load->plan.groups[viewer->group], number, at_ns);
        at = *next == ',' ? next + 1 : next;
    }
}

/* [[first, last], ...]: how many readings are acknowledged. */
static void hear_ranges(struct load *load, struct client *publisher, struct frame *frame)
{
    static const char mark[] = "\"ranges\":[";
    char *end = frame->payload + frame->length;
    char *at = memmem(frame->payload, frame->length, mark, sizeof mark - 1);
    if (!at || !holds(frame, "\"ACKNOWLEDGED\"")) {
        if (holds(frame, "\"REJECTED\"") || holds(frame, "\"ERROR\""))
            fail("client %d: refused: %.*s", index_of(load, publisher), TEXT_OF_A_FAULT,
                 frame->payload);
        load->others++;
        return;
    }
    at += sizeof mark - 1;
    while (at < end && *at == '[') {
        long first = strtol(at + 1, &at, 10);
        long last = strtol(at + 1, &at, 10);
        publisher->readings_answered += last - first + 1;
        load->acknowledged += last - first + 1;
        at += 1;
        if (at < end && *at == ',')
            at++;
    }
}

static void hear(struct load *load, struct client *client, struct frame *frame, uint64_t at_ns)
{
    if (frame->opcode == OPCODE_PING) {
        say(load, client, OPCODE_PONG, frame->payload, frame->length);
    } else if (frame->opcode == OPCODE_CLOSE) {
        int code = frame->length < 2 ? 1005
                                     : (unsigned char)frame->payload[0] << 8 |
                                           (unsigned char)frame->payload[1];
        int length = frame->length < 2 ? 0 : (int)frame->length - 2;
        fail("client %d: closed with %d: %.*s", index_of(load, client), code, length,
             frame->payload + 2);
    } else if (client->state == TALKING) {
        if (holds(frame, client->steps[client->at_step].text.bytes)) {
            client->at_step++;
            go_on(load, client);
        }
    } else if (client->publishes) {
        hear_ranges(load, client, frame);
    } else {
        if (load->record)
            fprintf(load->record, "%llu %d %.*s\n", (unsigned long long)at_ns, client->group,
                    (int)frame->length, frame->payload);
        hear_numbers(load, client, frame, at_ns);
    }
}

/* The answer to the handshake; the frames behind it stay. Its key is not looked at. */
static int upgraded(struct load *load, struct client *client)
{
    char *end = memmem(client->in.bytes, client->in.length, "\r\n\r\n", 4);
    if (!end)
        return 0;
    if (client->in.length < 12 || memcmp(client->in.bytes + 8, " 101", 4) != 0)
        fail("client %d: no WebSocket: %.*s", index_of(load, client), 60, client->in.bytes);
    buffer_drop(&client->in, (size_t)(end + 4 - client->in.bytes));
    client->state = TALKING;
    go_on(load, client);
    return 1;
}

static void listen_to(struct load *load, struct client *client)
{
    static char bytes[1 << 18];
    struct frame frame;
    size_t size, at = 0;
    ssize_t got = recv(client->fd, bytes, sizeof bytes - 1, MSG_DONTWAIT);
    uint64_t at_ns = now_ns();
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0)
        fail("client %d: the connection is gone", index_of(load, client));
    buffer_add(&client->in, bytes, (size_t)got);
    if (client->state == UPGRADING && !upgraded(load, client))
        return;
    while ((size = frame_read(client->in.bytes + at, client->in.length - at, &frame)) > 0) {
        at += size;
        hear(load, client, &frame, at_ns);
    }
    buffer_drop(&client->in, at);
    if (!client->in.length) {
        /* Thousands of idle clients keep nothing. */
        free(client->in.bytes);
        client->in = (struct buffer){0};
    }
}

void client_serve(struct load *load, struct client *client, uint32_t events)
{
    if (events & EPOLLOUT)
        flush(load, client);
    if (events & ~(uint32_t)EPOLLOUT)
        listen_to(load, client);
}

void client_publish(struct load *load, struct client *publisher, long readings)
{
    static struct buffer filled;
    struct group *group = &load->plan.groups[publisher->group];
    long number = FIRST_NUMBER + publisher->readings_sent;
    uint64_t at_ns = now_ns();
    /* Alone it is dated now; in a flood a reading follows each second after the last. */
    long long elapsed_ms = readings == 1 ? (long long)(at_ns / 1000000)
                                         : (long long)publisher->readings_sent * 1000;
    plan_fill(&filled, &publisher->messages[publisher->messages_sent % publisher->message_count],
              number, elapsed_ms);
    if (readings == 1) {
        if (group->count == group->room) {
            group->room = group->room ? group->room * 2 : 64;
            group->sent_ns = get_memory(group->sent_ns, sizeof *group->sent_ns * (size_t)group->room);
        }
        group->sent_ns[group->count++] = at_ns = now_ns();
    }
    publisher->messages_sent++;
    publisher->readings_sent += readings;
    say(load, publisher, OPCODE_TEXT, filled.bytes, filled.length);
    if (at_ns >= load->begin_ns && at_ns < load->end_ns) {
        load->sent += readings;
        load->expected += readings * group->watchers;
    }
}

void client_flood(struct load *load, struct client *publisher)
{
    long size = load->plan.readings_per_message;
    while (publisher->readings_sent < load->flood_readings &&
           publisher->readings_sent - publisher->readings_answered + size <= load->plan.window)
        client_publish(load, publisher, size);
}
