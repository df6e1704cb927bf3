#ifndef HEAD_H
#define HEAD_H

#include <stddef.h>
#include <time.h>

#include "options.h"

/* More bytes than a head ever takes. */
enum { HEAD_ROOM = 256 };

/* Writes the head of a response into `out`, which has HEAD_ROOM bytes, and returns its length.
 * This is the ONE function that differs between the two servers: head_snprintf.c and head_prebuilt.c. */
size_t write_head(char *out, enum body body, time_t now);

/* Formats a head, date and all, with one snprintf. Both servers build their heads with it: one for every
 * request, the other once a second. */
size_t format_head(char *out, enum body body, time_t now);

const char *body_text(enum body body);

#endif
