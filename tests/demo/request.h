#pragma once
#include <stddef.h>

struct request {
    const char *path;
    size_t path_length;
    int headers;
};

/* The size of the first whole request in `in`, 0 where there is none yet. */
size_t parse_request(const char *in, size_t length, struct request *request);
