#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <valgrind/callgrind.h>
#include "inlined.h"
int odd(int n);
__attribute__((noinline)) int even(int n){ return n==0?1:odd(n-1)+inlined(n); }
__attribute__((noinline)) int odd(int n){ return n==0?0:even(n-1); }
__attribute__((noinline)) int fact(int n){ return n<2?1:n*fact(n-1); }
__attribute__((noinline)) int work(int n){ volatile int s=0; for(int i=0;i<n;i++) s+=inlined(i); return s; }
__attribute__((noinline)) int outer(int n){ int r = work(n); CALLGRIND_ZERO_STATS; r += work(2*n); r+= even(10)+fact(6); return r; }
int main(){ int r=outer(50); printf("%d\n", r); return 0; }
