/* A keep-alive HTTP server on epoll, as small as such a server can be. It is linked twice, with two ways of making
 * the head of a response (head.h), so that a profile of the pair shows what formatting costs and nothing else.
 *
 * It answers every head it reads and knows no request bodies. */
#define _GNU_SOURCE /* memmem, accept4 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "head.h"
#include "options.h"

enum { BACKLOG = 1024, EVENTS = 256, IN_ROOM = 8192, OUT_ROOM = 16384 };

struct connection {
    int fd;
    bool waits_to_write;
    size_t in_length;
    size_t out_length;
    char in[IN_ROOM];
    char out[OUT_ROOM];
};

struct worker {
    int listener;
    int epoll;
    enum body body;
};

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int listen_on(int port, bool share_port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        (share_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) != 0) ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, BACKLOG) != 0) {
        die("cannot listen");
    }
    return fd;
}

static int port_of(int listener) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    if (getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        die("getsockname");
    }
    return ntohs(address.sin_port);
}

static void watch(int epoll, int operation, int fd, uint32_t events, void *data) {
    struct epoll_event event = {.events = events, .data.ptr = data};
    if (epoll_ctl(epoll, operation, fd, &event) != 0) {
        die("epoll_ctl");
    }
}

static void accept_all(struct worker *worker) {
    int fd;
    while ((fd = accept4(worker->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = malloc(sizeof *connection);
        if (!connection) {
            die("malloc");
        }
        connection->fd = fd;
        connection->waits_to_write = false;
        connection->in_length = connection->out_length = 0;
        watch(worker->epoll, EPOLL_CTL_ADD, fd, EPOLLIN, connection);
    }
}

/* Puts a response into `out` for every whole request in `in` that there is room to answer. */
static void answer(struct connection *connection, enum body body, time_t now) {
    const char *text = body_text(body);
    size_t text_length = strlen(text), done = 0;
    while (connection->out_length + HEAD_ROOM + text_length <= OUT_ROOM) {
        char *end = memmem(connection->in + done, connection->in_length - done, "\r\n\r\n", 4);
        if (!end) {
            break;
        }
        done = (size_t)(end + 4 - connection->in);
        char *out = connection->out + connection->out_length;
        size_t head_length = write_head(out, body, now);
        memcpy(out + head_length, text, text_length);
        connection->out_length += head_length + text_length;
    }
    connection->in_length -= done;
    memmove(connection->in, connection->in + done, connection->in_length);
}

/* Sends what is in `out`; false if the peer has gone. What the socket does not take stays there. */
static bool flush(struct connection *connection) {
    ssize_t sent = send(connection->fd, connection->out, connection->out_length, MSG_NOSIGNAL);
    if (sent < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    connection->out_length -= (size_t)sent;
    memmove(connection->out, connection->out + sent, connection->out_length);
    return true;
}

/* Reads once if nothing waits to be sent, then answers and sends as far as it goes; false if the connection is over. */
static bool serve(struct worker *worker, struct connection *connection, time_t now) {
    if (!connection->waits_to_write) {
        char *in = connection->in + connection->in_length;
        ssize_t length = recv(connection->fd, in, IN_ROOM - connection->in_length, 0);
        if (length <= 0) { /* also a request longer than `in`: no room left is a read of 0 bytes */
            return length < 0 && (errno == EAGAIN || errno == EINTR);
        }
        connection->in_length += (size_t)length;
    }
    bool blocked = false;
    while (!blocked) {
        answer(connection, worker->body, now);
        if (connection->out_length == 0) {
            break;
        }
        if (!flush(connection)) {
            return false;
        }
        blocked = connection->out_length > 0;
    }
    if (blocked != connection->waits_to_write) {
        connection->waits_to_write = blocked;
        watch(worker->epoll, EPOLL_CTL_MOD, connection->fd, blocked ? EPOLLOUT : EPOLLIN, connection);
    }
    return true;
}

static _Noreturn void run(struct worker *worker) {
    struct epoll_event events[EVENTS];
    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (worker->epoll < 0) {
        die("epoll_create1");
    }
    watch(worker->epoll, EPOLL_CTL_ADD, worker->listener, EPOLLIN, NULL);
    for (;;) {
        int count = epoll_wait(worker->epoll, events, EVENTS, -1);
        time_t now = time(NULL); /* once for all the requests of a round, in both servers */
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!connection) {
                accept_all(worker);
            } else if (!serve(worker, connection, now)) {
                close(connection->fd);
                free(connection);
            }
        }
    }
}

static void *run_thread(void *worker) {
    run(worker);
}

static void *exit_later(void *argument) {
    double seconds = *(double *)argument;
    struct timespec pause = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&pause, NULL);
    exit(0);
}

static void start(void *(*routine)(void *), void *argument) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, routine, argument) != 0) {
        die("pthread_create");
    }
}

int main(int argc, char **argv) {
    struct options options = read_options(argc, argv);
    struct worker *workers = calloc((size_t)options.threads, sizeof *workers);
    if (!workers) {
        die("calloc");
    }
    /* Without SO_REUSEPORT first: a port that another server has must fail, not share that server's load. */
    int first = listen_on(options.port, false);
    int port = port_of(first);
    if (options.threads > 1) {
        close(first);
        first = listen_on(port, true);
    }
    for (int i = 0; i < options.threads; i++) {
        workers[i].listener = i == 0 ? first : listen_on(port, true);
        workers[i].body = options.body;
    }
    for (int i = 1; i < options.threads; i++) {
        start(run_thread, &workers[i]);
    }
    if (options.exit_after >= 0) {
        start(exit_later, &options.exit_after);
    }
    printf("ready port=%d\n", port);
    fflush(stdout);
    run(&workers[0]);
}
