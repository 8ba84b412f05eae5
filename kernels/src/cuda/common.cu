// What all kernels share. Compiled at run time by NVRTC without any header: no include path is needed on the
// machine that runs this, and so bf16 is handled as its bits. emulator.cpp stands in for the first part when
// the same kernels run on the CPU in tests.
//
// HEAD_DIM, the numbers in a head, is defined by the host: registers and shared memory depend on it.

#ifndef EMULATED
typedef unsigned short bf16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define KERNEL extern "C" __global__ void

__device__ __forceinline__ float shuffle_xor(float x, int lanes) { return __shfl_xor_sync(0xffffffffu, x, lanes); }
__device__ __forceinline__ u32 shuffle_xor(u32 x, int lanes) { return __shfl_xor_sync(0xffffffffu, x, lanes); }

// To the nearest, ties to even.
__device__ __forceinline__ bf16 narrow(float x) {
    bf16 bits;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
    return bits;
}

// Two numbers in one register, the first in the lower half, as they lie in memory.
__device__ __forceinline__ u32 pack(float first, float second) {
    u32 bits;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(second), "f"(first));
    return bits;
}

// sums[16 x 8] += a[16 x 16] b[16 x 8], spread over the 32 lanes of a warp as PTX's mma.m16n8k16 has it.
__device__ __forceinline__ void mma(float (&sums)[4], const u32 (&a)[4], u32 b0, u32 b1) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Four 8 x 8 matrices from shared memory; lane 8 j + r gives the address of row r of matrix j.
__device__ __forceinline__ void load_matrices(u32 (&b)[4], const bf16* row) {
    u32 address = (u32)__cvta_generic_to_shared(row);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(b[0]), "=r"(b[1]), "=r"(b[2]), "=r"(b[3]) : "r"(address) : "memory");
}

// The same, each matrix transposed.
__device__ __forceinline__ void load_transposed(u32 (&b)[4], const bf16* row) {
    u32 address = (u32)__cvta_generic_to_shared(row);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(b[0]), "=r"(b[1]), "=r"(b[2]), "=r"(b[3]) : "r"(address) : "memory");
}
#endif

#define LOG2_E 1.4426950408889634f
#define NOTHING (-__int_as_float(0x7f800000))

__device__ __forceinline__ float wide(bf16 bits) { return __int_as_float((int)bits << 16); }
__device__ __forceinline__ float low(u32 two) { return __int_as_float((int)(two << 16)); }
__device__ __forceinline__ float high(u32 two) { return __int_as_float((int)(two & 0xffff0000u)); }

__device__ __forceinline__ float warp_sum(float x) {
    for (int lanes = 16; lanes > 0; lanes /= 2) x += shuffle_xor(x, lanes);
    return x;
}

// The sum over a block of THREADS threads, in every thread. `parts` is shared memory, a number a warp.
template <int THREADS>
__device__ __forceinline__ float block_sum(float x, float* parts) {
    x = warp_sum(x);
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = x;
    __syncthreads();
    float sum = 0.0f;
    for (int warp = 0; warp < THREADS / 32; ++warp) sum += parts[warp];
    return sum;
}
