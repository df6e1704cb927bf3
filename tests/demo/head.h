#pragma once
#include <stddef.h>

enum { HEAD_ROOM = 256 };

/* Writes a number in decimal; returns its digits. */
size_t put_number(char *out, size_t value);

/* Writes the head of a response with a body of `body` bytes; returns its length. */
size_t write_head(char *out, size_t body);
