// Put before every C++ file of llama.cpp when `cargo xtask bench llama` builds it.
//
// In GCC before 12.4 and 13.3, `_tile_loadconfig` tells the compiler that it reads 8 bytes where it reads 64
// (GCC bug 114098). The stores of the rest are then dropped as dead, and llama.cpp's AMX products end in a
// general protection fault. The same instruction with its true operand costs nothing.

#if defined(__AMX_TILE__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 14
#include <immintrin.h>

static inline void load_tile_config(const void *config) {
    __asm__ volatile("ldtilecfg\t%0" ::"m"(*static_cast<const char (*)[64]>(config)));
}

#undef _tile_loadconfig
#define _tile_loadconfig load_tile_config
#endif
