#include "head.h"

#include <stdio.h>
#include <string.h>

/* No strftime: its names depend on the locale, those of HTTP do not. */
static const char DAYS[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char MONTHS[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

const char *body_text(enum body body) {
    return body == BODY_EQUAL ? "Hello, World!" : "Hello World!";
}

size_t format_head(char *out, enum body body, time_t now) {
    struct tm date;
    gmtime_r(&now, &date);
    const char *extra = body == BODY_EQUAL ? "Server: M\r\nContent-Type: text/plain\r\n" : "";
    int length = snprintf(out, HEAD_ROOM,
                          "HTTP/1.1 %d %s\r\n%sContent-Length: %zu\r\nDate: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n\r\n",
                          200, "OK", extra, strlen(body_text(body)), DAYS[date.tm_wday], date.tm_mday,
                          MONTHS[date.tm_mon], date.tm_year + 1900, date.tm_hour, date.tm_min, date.tm_sec);
    return (size_t)length;
}
