#pragma once
#include <stddef.h>

enum { PAGE_ROOM = 2048 };

/* Writes the page that a path asks for; returns its length. */
size_t write_page(char *out, const char *path, size_t path_length);
