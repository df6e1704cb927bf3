static inline __attribute__((always_inline)) int inlined(int x){
  int y = x*3;
  y ^= x>>1;
  return y+1;
}
