#include "stats.h"

static unsigned long requests, headers, path_bytes;

void count_request(const struct request *request) {
    requests++;
    for (int i = 0; i < request->headers; i++) {
        headers++;
    }
    path_bytes += request->path_length;
}
