/* WebSocket frames (RFC 6455 section 5.2), as much of them as the two ends of a benchmark need. */
#ifndef FRAMES_H
#define FRAMES_H

#include <stddef.h>

enum { OPCODE_TEXT = 0x1, OPCODE_CLOSE = 0x8, OPCODE_PING = 0x9, OPCODE_PONG = 0xA };

/* Bytes that grow at the end and go at the front. */
struct buffer {
    char *bytes;
    size_t length, room;
};

void buffer_add(struct buffer *buffer, const void *bytes, size_t length);
void buffer_drop(struct buffer *buffer, size_t length);

struct frame {
    int opcode;
    char *payload;
    size_t length;
};

/* Reads the frame that begins at `bytes` and unmasks it in place. Returns its size in all; 0 while
 * it is not whole. Frames in several parts end the program: no server here sends any. */
size_t frame_read(char *bytes, size_t length, struct frame *frame);

/* Appends a frame. A client's is masked with a key of zeros: the server unmasks it as it would any
 * other, and the payload stays as it is, which spares this end the work. */
void frame_write(struct buffer *out, int opcode, const char *payload, size_t length, int by_client);

/* A request for `path` to become a WebSocket. `subprotocol` may be "-". */
void frame_handshake(struct buffer *out, const char *path, const char *host, int port,
                     const char *subprotocol);

/* Says why on stderr and ends the program. */
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Never returns NULL. */
void *get_memory(void *old, size_t size);

#endif
