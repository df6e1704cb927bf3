/* Every head is formatted anew, as hyper 0.10 does: the seed's lesson, without a framework around it. */
#include "head.h"

size_t write_head(char *out, enum body body, time_t now) {
    return format_head(out, body, now);
}
