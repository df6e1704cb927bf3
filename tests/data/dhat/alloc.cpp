// Allocates by several functions, frees some of it; for heap profilers.
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>
#include <map>
struct Cache { std::map<int, std::string> rows; };
__attribute__((noinline)) char *buffer(size_t n) { char *p = (char *)malloc(n); memset(p, 1, n); return p; }
__attribute__((noinline)) void request(Cache &cache, int i) {
  char *body = buffer(100 + i % 50 * 10);
  cache.rows[i % 300] = std::string(200 + i % 7, 'x');
  free(body);
}
__attribute__((noinline)) char *leak(int depth) { return depth ? leak(depth - 1) : buffer(5000); }
int main() {
  Cache cache;
  std::vector<char *> kept;
  for (int i = 0; i < 2000; i++) { request(cache, i); if (i % 100 == 0) kept.push_back(leak(i / 500)); }
  return kept.size() == 20 ? 0 : 1;
}
