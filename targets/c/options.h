#ifndef OPTIONS_H
#define OPTIONS_H

/* Which response to send: this program's own (88 bytes) or the one common to all servers (126 bytes). */
enum body { BODY_SEED, BODY_EQUAL };

struct options {
    int port; /* 0 = pick one */
    int threads;
    double exit_after; /* seconds; negative = never */
    enum body body;
};

/* Reads the arguments and the environment (PORT, THREADS, EXIT_AFTER, BODY; an argument wins).
 * A mistake ends the process with exit code 2. */
struct options read_options(int argc, char **argv);

#endif
