/* A small keep-alive HTTP server: what the commits of the demonstration repository change. */
#define _GNU_SOURCE /* accept4 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "head.h"
#include "page.h"
#include "request.h"
#include "stats.h"

enum { EVENTS = 64, ROOM = 8192 };

struct connection {
    int fd;
    size_t length;
    char in[ROOM];
};

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int listen_on(int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 512) != 0) {
        die("cannot listen");
    }
    return fd;
}

static void watch(int epoll, int fd, void *data) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = data};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        die("epoll_ctl");
    }
}

static void accept_all(int epoll, int listener) {
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = calloc(1, sizeof *connection);
        if (!connection) {
            die("calloc");
        }
        connection->fd = fd;
        watch(epoll, fd, connection);
    }
}

/* Answers every whole request that has come in. */
static int answer(struct connection *connection) {
    size_t used = 0, size;
    struct request request;
    while ((size = parse_request(connection->in + used, connection->length - used, &request)) > 0) {
        char page[PAGE_ROOM], out[HEAD_ROOM + PAGE_ROOM];
        size_t page_length = write_page(page, request.path, request.path_length);
        size_t length = write_head(out, page_length);
        memcpy(out + length, page, page_length);
        length += page_length;
        count_request(&request);
        if (write(connection->fd, out, length) != (ssize_t)length) {
            return -1;
        }
        used += size;
    }
    memmove(connection->in, connection->in + used, connection->length - used);
    connection->length -= used;
    return 0;
}

static int serve(struct connection *connection) {
    ssize_t got = read(connection->fd, connection->in + connection->length, ROOM - connection->length);
    if (got <= 0) {
        return -1;
    }
    connection->length += (size_t)got;
    return answer(connection);
}

int main(int argc, char **argv) {
    int port = argc > 1 ? atoi(argv[1]) : 0, listener = listen_on(port), epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[EVENTS];
    watch(epoll, listener, NULL);
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        if (ready < 0 && errno != EINTR) {
            die("epoll_wait");
        }
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!connection) {
                accept_all(epoll, listener);
            } else if (serve(connection) != 0) {
                close(connection->fd);
                free(connection);
            }
        }
    }
}
