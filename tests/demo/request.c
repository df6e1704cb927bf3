#include "request.h"

#include <string.h>

/* Where a line ends, or NULL: byte by byte, as parsers do. */
static __attribute__((noinline)) const char *line_end(const char *at, const char *end) {
    while (at + 1 < end && !(at[0] == '\r' && at[1] == '\n')) {
        at++;
    }
    return at + 1 < end ? at : NULL;
}

size_t parse_request(const char *in, size_t length, struct request *request) {
    const char *end = in + length, *line = in, *stop = line_end(in, end);
    if (!stop) {
        return 0;
    }
    const char *space = memchr(in, ' ', (size_t)(stop - in));
    request->path = space ? space + 1 : in;
    space = memchr(request->path, ' ', (size_t)(stop - request->path));
    request->path_length = (size_t)((space ? space : stop) - request->path);
    request->headers = 0;
    for (line = stop + 2; (stop = line_end(line, end)) != NULL; line = stop + 2) {
        if (stop == line) {
            return (size_t)(stop + 2 - in);
        }
        request->headers++;
    }
    return 0;
}
