/* The limit: what a fan-out costs where nothing is done but one send() for each viewer and message.
 *
 * No program that writes to sockets one by one is quicker, whatever its language. /watch/GROUP
 * listens, /pub/GROUP is what everyone in the group hears. Says `listening PORT` on stdout.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frames.h"

enum { EVENTS_AT_ONCE = 256 };

struct peer {
    int fd, is_open, publishes, group;
    struct buffer in;
};

struct group {
    struct peer **viewers;
    int count;
};

static struct group *groups;
static int group_count;

static void join(struct peer *peer)
{
    struct group *group;
    if (peer->group >= group_count) {
        groups = get_memory(groups, sizeof *groups * (size_t)(peer->group + 1));
        for (; group_count <= peer->group; group_count++)
            groups[group_count] = (struct group){0};
    }
    if (peer->publishes)
        return;
    group = &groups[peer->group];
    group->viewers =
        get_memory(group->viewers, sizeof *group->viewers * (size_t)(group->count + 1));
    group->viewers[group->count++] = peer;
}

static void leave(struct peer *peer)
{
    struct group *group = &groups[peer->group];
    for (int i = 0; peer->is_open && i < group->count; i++)
        if (group->viewers[i] == peer)
            group->viewers[i] = group->viewers[--group->count];
    close(peer->fd);
    free(peer->in.bytes);
    free(peer);
}

/* The load generator does not look at the key of the answer, so it is always the same. */
static void open_up(struct peer *peer)
{
    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                 "Connection: Upgrade\r\nSec-WebSocket-Accept: none\r\n\r\n";
    char *end = memmem(peer->in.bytes, peer->in.length, "\r\n\r\n", 4);
    char kind[16];
    if (!end)
        return;
    if (sscanf(peer->in.bytes, "GET /%15[a-z]/%d", kind, &peer->group) != 2 || peer->group < 0)
        fail("a request for something else");
    peer->publishes = !strcmp(kind, "pub");
    peer->is_open = 1;
    join(peer);
    if (send(peer->fd, answer, sizeof answer - 1, MSG_NOSIGNAL) != sizeof answer - 1)
        fail("cannot answer a handshake: %s", strerror(errno));
    buffer_drop(&peer->in, (size_t)(end + 4 - peer->in.bytes));
}

static void hand_out(struct group *group, struct frame *frame)
{
    static struct buffer out;
    out.length = 0;
    frame_write(&out, OPCODE_TEXT, frame->payload, frame->length, 0);
    for (int i = 0; i < group->count; i++)
        if (send(group->viewers[i]->fd, out.bytes, out.length, MSG_NOSIGNAL | MSG_DONTWAIT) !=
            (ssize_t)out.length)
            fail("a viewer does not take its messages: %s", strerror(errno));
}

static void serve(struct peer *peer)
{
    static char bytes[65536];
    struct frame frame;
    size_t size;
    ssize_t got = recv(peer->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        leave(peer);
        return;
    }
    buffer_add(&peer->in, bytes, (size_t)got);
    if (!peer->is_open)
        open_up(peer);
    while (peer->is_open && (size = frame_read(peer->in.bytes, peer->in.length, &frame)) > 0) {
        if (peer->publishes && frame.opcode == OPCODE_TEXT)
            hand_out(&groups[peer->group], &frame);
        buffer_drop(&peer->in, size);
    }
}

static void welcome(int epoll, int listener)
{
    struct epoll_event event = {.events = EPOLLIN};
    struct peer *peer;
    int on = 1, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        fail("cannot accept: %s. Raise the limit: ulimit -n", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    peer = get_memory(NULL, sizeof *peer);
    *peer = (struct peer){.fd = fd};
    event.data.ptr = peer;
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    struct epoll_event events[EVENTS_AT_ONCE], event = {.events = EPOLLIN};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1024))
        fail("cannot listen: %s", strerror(errno));
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("listening %d\n", ntohs(address.sin_port));
    fflush(stdout);
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event); /* No peer: that is the listener. */
    for (;;) {
        int found = epoll_wait(epoll, events, EVENTS_AT_ONCE, -1);
        for (int i = 0; i < found; i++) {
            if (events[i].data.ptr)
                serve(events[i].data.ptr);
            else
                welcome(epoll, listener);
        }
    }
}
