#pragma once
#include "request.h"

/* Counts a request that was answered. */
void count_request(const struct request *request);
