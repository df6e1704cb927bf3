#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char USAGE[] =
    "options: --port N (0 = pick one)  --threads N  --exit-after SECS  --body seed|equal\n"
    "or in the environment: PORT, THREADS, EXIT_AFTER, BODY; an option wins over the environment\n";

static void refuse(const char *option, const char *value, const char *expected) {
    fprintf(stderr, "%s %s: expected %s\n%s", option, value, expected, USAGE);
    exit(2);
}

static double number(const char *option, const char *value, double least, double most, const char *expected) {
    char *end;
    double result = strtod(value, &end);
    if (end == value || *end != '\0' || !(result >= least && result <= most)) {
        refuse(option, value, expected);
    }
    return result;
}

static int whole_number(const char *option, const char *value, int least, int most, const char *expected) {
    double result = number(option, value, least, most, expected);
    if (result != (int)result) {
        refuse(option, value, expected);
    }
    return (int)result;
}

static void set_option(struct options *options, const char *option, const char *value) {
    if (strcmp(option, "--port") == 0) {
        options->port = whole_number(option, value, 0, 65535, "0 to 65535");
    } else if (strcmp(option, "--threads") == 0) {
        options->threads = whole_number(option, value, 1, 1024, "1 to 1024");
    } else if (strcmp(option, "--exit-after") == 0) {
        options->exit_after = number(option, value, 0, 1e9, "seconds");
    } else if (strcmp(option, "--body") == 0 && strcmp(value, "seed") == 0) {
        options->body = BODY_SEED;
    } else if (strcmp(option, "--body") == 0 && strcmp(value, "equal") == 0) {
        options->body = BODY_EQUAL;
    } else {
        refuse(option, value, strcmp(option, "--body") == 0 ? "seed or equal" : "one of the options below");
    }
}

struct options read_options(int argc, char **argv) {
    static const char *const TWINS[][2] = {
        {"PORT", "--port"}, {"THREADS", "--threads"}, {"EXIT_AFTER", "--exit-after"}, {"BODY", "--body"}};
    struct options options = {.port = 0, .threads = 1, .exit_after = -1, .body = BODY_SEED};
    for (size_t i = 0; i < sizeof TWINS / sizeof *TWINS; i++) {
        const char *value = getenv(TWINS[i][0]);
        if (value) {
            set_option(&options, TWINS[i][1], value);
        }
    }
    for (int i = 1; i < argc; i += 2) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(USAGE, stdout);
            exit(0);
        }
        if (i + 1 == argc) {
            refuse(argv[i], "", "a value");
        }
        set_option(&options, argv[i], argv[i + 1]);
    }
    return options;
}
