#include "head.h"

#include <string.h>

static const char BEFORE[] = "HTTP/1.1 200 OK\r\nServer: demonstration\r\nContent-Type: text/plain\r\nContent-Length: ";

__attribute__((noinline)) size_t put_number(char *out, size_t value) {
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    for (size_t i = 0; i < count; i++) {
        out[i] = digits[count - 1 - i];
    }
    return count;
}

size_t write_head(char *out, size_t body) {
    memcpy(out, BEFORE, sizeof BEFORE - 1);
    size_t length = sizeof BEFORE - 1;
    length += put_number(out + length, body);
    memcpy(out + length, "\r\n\r\n", 4);
    return length + 4;
}
