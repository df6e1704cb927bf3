/* A head is formatted when the second has changed, and copied otherwise. */
#include "head.h"

#include <string.h>

size_t write_head(char *out, enum body body, time_t now) {
    static _Thread_local char prebuilt[HEAD_ROOM];
    static _Thread_local size_t length;
    static _Thread_local time_t built_at;
    if (built_at != now) {
        length = format_head(prebuilt, body, now);
        built_at = now;
    }
    memcpy(out, prebuilt, length);
    return length;
}
