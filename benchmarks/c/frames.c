/* WebSocket frames (RFC 6455 section 5.2), and the few helpers that both ends share. */
#include "frames.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

void *get_memory(void *old, size_t size)
{
    void *memory = realloc(old, size ? size : 1);
    if (!memory)
        fail("no memory for %zu bytes", size);
    return memory;
}

void buffer_add(struct buffer *buffer, const void *bytes, size_t length)
{
    if (buffer->length + length > buffer->room) {
        buffer->room = (buffer->length + length) * 2;
        buffer->bytes = get_memory(buffer->bytes, buffer->room);
    }
    memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
}

void buffer_drop(struct buffer *buffer, size_t length)
{
    buffer->length -= length;
    memmove(buffer->bytes, buffer->bytes + length, buffer->length);
}

size_t frame_read(char *bytes, size_t length, struct frame *frame)
{
    const unsigned char *head = (const unsigned char *)bytes;
    size_t at = 2, payload;
    if (length < 2)
        return 0;
    if (!(head[0] & 0x80))
        fail("a message in several frames came, which this program does not read");
    payload = head[1] & 0x7F;
    if (payload >= 126) {
        size_t width = payload == 126 ? 2 : 8;
        if (length < at + width)
            return 0;
        payload = 0;
        for (size_t i = 0; i < width; i++)
            payload = payload << 8 | head[at + i];
        at += width;
    }
    if (head[1] & 0x80) {
        if (length < at + 4 + payload)
            return 0;
        for (size_t i = 0; i < payload; i++)
            bytes[at + 4 + i] ^= bytes[at + i % 4];
        at += 4;
    }
    if (length < at + payload)
        return 0;
    frame->opcode = head[0] & 0x0F;
    frame->payload = bytes + at;
    frame->length = payload;
    return at + payload;
}

void frame_write(struct buffer *out, int opcode, const char *payload, size_t length, int by_client)
{
    unsigned char head[14] = {0};
    size_t size = 2;
    head[0] = (unsigned char)(0x80 | opcode);
    if (length < 126) {
        head[1] = (unsigned char)length;
    } else {
        size_t width = length < 65536 ? 2 : 8;
        head[1] = width == 2 ? 126 : 127;
        for (size_t i = 0; i < width; i++)
            head[2 + i] = (unsigned char)((unsigned long long)length >> 8 * (width - 1 - i));
        size += width;
    }
    if (by_client) {
        head[1] |= 0x80;
        size += 4;
    }
    buffer_add(out, head, size);
    buffer_add(out, payload, length);
}

void frame_handshake(struct buffer *out, const char *path, const char *host, int port,
                     const char *subprotocol)
{
    char request[1024];
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
                          path, host, port);
    buffer_add(out, request, (size_t)length);
    if (strcmp(subprotocol, "-") != 0) {
        length = snprintf(request, sizeof request, "Sec-WebSocket-Protocol: %s\r\n", subprotocol);
        buffer_add(out, request, (size_t)length);
    }
    buffer_add(out, "\r\n", 2);
}
