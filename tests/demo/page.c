#include "page.h"

#include <string.h>

#include "head.h"

struct route {
    const char *path;
    const char *title;
};

static const struct route ROUTES[] = {
    {"/about", "about"},     {"/account", "account"}, {"/basket", "basket"}, {"/catalogue", "catalogue"},
    {"/checkout", "pay"},    {"/contact", "contact"}, {"/help", "help"},     {"/invoices", "invoices"},
    {"/login", "log in"},    {"/logout", "log out"},  {"/news", "news"},     {"/offers", "offers"},
    {"/orders", "orders"},   {"/privacy", "privacy"}, {"/returns", "returns"}, {"/search", "search"},
    {"/settings", "settings"}, {"/status", "status"}, {"/terms", "terms"},   {"/", "start"},
};
enum { ROUTE_COUNT = sizeof ROUTES / sizeof *ROUTES, ROWS = 24 };

static const char ROW[] = "<tr><td>item ";

/* The title of a path: the longest route that it begins with. */
static __attribute__((noinline)) const char *find_title(const char *path, size_t path_length) {
    for (int i = 0; i < ROUTE_COUNT; i++) {
        size_t length = 0;
        while (length < path_length && ROUTES[i].path[length] && path[length] == ROUTES[i].path[length]) {
            length++;
        }
        if (!ROUTES[i].path[length]) {
            return ROUTES[i].title;
        }
    }
    return "not found";
}

static __attribute__((noinline)) size_t write_rows(char *out) {
    size_t length = 0;
    for (size_t i = 0; i < ROWS; i++) {
        memcpy(out + length, ROW, sizeof ROW - 1);
        length += sizeof ROW - 1;
        length += put_number(out + length, 1000 + i * 37);
        out[length++] = '\n';
    }
    return length;
}

size_t write_page(char *out, const char *path, size_t path_length) {
    const char *title = find_title(path, path_length);
    size_t length = strlen(title);
    memcpy(out, title, length);
    out[length++] = '\n';
    return length + write_rows(out + length);
}
