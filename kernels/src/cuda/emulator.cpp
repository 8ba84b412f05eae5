// Runs the kernels on the CPU, for tests on machines without a GPU: block after block, each thread of a block
// a coroutine that gives way at barriers and at exchanges between the lanes of a warp. The tensor core
// instructions are carried out from their fragments as the PTX manual lays them out. Slow, and no proof that
// the GPU agrees in everything; but indices, barriers, masks and formulas are those of the very kernels.
//
// A barrier that not all threads reach ends the process with a message.

#include <csetjmp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <tuple>
#include <ucontext.h>
#include <utility>
#include <vector>

#define EMULATED
typedef unsigned short bf16;
typedef unsigned int u32;
typedef unsigned long long u64;
struct uint4 { u32 x, y, z, w; };
struct float2 { float x, y; };
struct Dimensions { unsigned x, y; };

#define KERNEL extern "C" void
#define __device__ static
#define __forceinline__ inline
#define __shared__ static
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __launch_bounds__(threads)

static Dimensions threadIdx, blockIdx;

enum State { READY, AT_BLOCK, AT_WARP, DONE };
struct Thread {
    ucontext_t context;
    // Where it gave way. Jumps are many times faster than swapcontext, which calls the kernel each time.
    jmp_buf place;
    bool begun = false;
    std::vector<char> stack;
    State state = READY;
    // Exchanges alternate between two slots, so that a fast lane does not overwrite what a slow one reads.
    int parity = 0;
    u64 slots[2][8] = {};
};
static std::vector<Thread> threads;
static jmp_buf scheduler;
static void (*body)(void**);
static void** body_args;

static void wait(State state) {
    Thread& own = threads[threadIdx.x];
    own.state = state;
    if (!_setjmp(own.place)) _longjmp(scheduler, 1);
}
static void __syncthreads() { wait(AT_BLOCK); }

// Leaves `words` for the other lanes and returns the warp's first thread and the slot that holds them.
static std::pair<Thread*, int> exchange(const u64* words, int count) {
    Thread& own = threads[threadIdx.x];
    own.parity ^= 1;
    std::copy(words, words + count, own.slots[own.parity]);
    wait(AT_WARP);
    return {&threads[threadIdx.x / 32 * 32], own.parity};
}

static int as_int(float x) { int bits; std::memcpy(&bits, &x, 4); return bits; }
static float __int_as_float(int bits) { float x; std::memcpy(&x, &bits, 4); return x; }
static u32 shuffle_xor(u32 x, int lanes) {
    const u64 word = x;
    auto [warp, slot] = exchange(&word, 1);
    return (u32)warp[(threadIdx.x % 32) ^ lanes].slots[slot][0];
}
static float shuffle_xor(float x, int lanes) { return __int_as_float((int)shuffle_xor((u32)as_int(x), lanes)); }
static int max(int a, int b) { return a > b ? a : b; }
static int min(int a, int b) { return a < b ? a : b; }

static bf16 narrow(float x) {
    const u32 bits = (u32)as_int(x);
    if (x != x) return 0x7fff;
    return (bf16)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
static u32 pack(float first, float second) { return narrow(first) | (u32)narrow(second) << 16; }
static float half_of(u64 two, int which) { return __int_as_float((int)((u32)(two >> 16 * which) << 16)); }

static void mma(float (&sums)[4], const u32 (&a)[4], u32 b0, u32 b1) {
    const u64 words[6] = {a[0], a[1], a[2], a[3], b0, b1};
    auto [warp, slot] = exchange(words, 6);
    const int lane = threadIdx.x % 32;
    for (int i = 0; i < 4; ++i) {
        const int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
        for (int k = 0; k < 16; ++k) {
            const u64 left = warp[row % 8 * 4 + k % 8 / 2].slots[slot][row / 8 + k / 8 * 2];
            const u64 right = warp[column * 4 + k % 8 / 2].slots[slot][4 + k / 8];
            sums[i] += half_of(left, k % 2) * half_of(right, k % 2);
        }
    }
}

static void load_either(u32 (&b)[4], const bf16* row, bool transposed) {
    if ((uintptr_t)row % 16 != 0) {
        std::fprintf(stderr, "ldmatrix from an address that is not a multiple of 16\n");
        std::abort();
    }
    const u64 word = (u64)(uintptr_t)row;
    auto [warp, slot] = exchange(&word, 1);
    const int lane = threadIdx.x % 32;
    for (int matrix = 0; matrix < 4; ++matrix) {
        auto at = [&, warp = warp, slot = slot](int row, int column) {
            return (u32)((const bf16*)(uintptr_t)warp[8 * matrix + row].slots[slot][0])[column];
        };
        const int one = lane / 4, two = lane % 4 * 2;
        b[matrix] = transposed ? at(two, one) | at(two + 1, one) << 16 : at(one, two) | at(one, two + 1) << 16;
    }
}
static void load_matrices(u32 (&b)[4], const bf16* row) { load_either(b, row, false); }
static void load_transposed(u32 (&b)[4], const bf16* row) { load_either(b, row, true); }

#include "common.cu"
#include "rows.cu"
#include "attention.cu"
#include "head.cu"

static void enter() {
    body(body_args);
    wait(DONE);
}

static void give_turn(unsigned i) {
    threadIdx = {i, 0};
    if (_setjmp(scheduler)) return;
    if (threads[i].begun) _longjmp(threads[i].place, 1);
    threads[i].begun = true;
    setcontext(&threads[i].context);
}

// Until its lanes wait for other warps.
static void run_warp(unsigned first) {
    for (bool all_at_warp = true; all_at_warp;) {
        for (unsigned i = first; i < first + 32; ++i) {
            if (threads[i].state == READY) give_turn(i);
        }
        for (unsigned i = first; i < first + 32; ++i) all_at_warp &= threads[i].state == AT_WARP;
        for (unsigned i = first; all_at_warp && i < first + 32; ++i) threads[i].state = READY;
    }
}

static void run_block(unsigned count) {
    if (threads.size() < count) threads = std::vector<Thread>(count);
    for (unsigned i = 0; i < count; ++i) {
        Thread& thread = threads[i];
        if (thread.stack.empty()) thread.stack.resize(64 * 1024);
        thread.state = READY;
        thread.parity = 0;
        thread.begun = false;
        getcontext(&thread.context);
        thread.context.uc_stack.ss_sp = thread.stack.data();
        thread.context.uc_stack.ss_size = thread.stack.size();
        thread.context.uc_link = nullptr;
        makecontext(&thread.context, enter, 0);
    }
    // One warp runs as far as it can before the next has its turn, first to last and last to first by turns, so
    // that a missing barrier shows: the GPU promises no order.
    const unsigned warps = count / 32;
    for (bool backwards = false;; backwards = !backwards) {
        for (unsigned turn = 0; turn < warps; ++turn) run_warp(32 * (backwards ? warps - 1 - turn : turn));
        unsigned at_block = 0, done = 0;
        for (unsigned i = 0; i < count; ++i) {
            at_block += threads[i].state == AT_BLOCK;
            done += threads[i].state == DONE;
        }
        if (done == count) return;
        if (at_block != count) {
            std::fprintf(stderr, "a barrier that not all threads reach\n");
            std::abort();
        }
        for (unsigned i = 0; i < count; ++i) threads[i].state = READY;
    }
}

template <typename... Args, size_t... I>
static void spread(void (*kernel)(Args...), void** args, std::index_sequence<I...>) {
    kernel(*(Args*)args[I]...);
}
template <typename... Args>
static void call(void (*kernel)(Args...), void** args) {
    spread(kernel, args, std::index_sequence_for<Args...>{});
}

// Takes what cuLaunchKernel takes; returns whether there is such a kernel.
extern "C" int emulate(const char* name, unsigned blocks_x, unsigned blocks_y, unsigned count, void** args) {
    static std::mutex one_at_a_time;
    std::lock_guard<std::mutex> guard(one_at_a_time);
    body = nullptr;
#define NAMED(kernel) \
    if (!std::strcmp(name, #kernel)) body = [](void** args) { call(kernel, args); };
    NAMED(embed) NAMED(rms_norm) NAMED(residual) NAMED(rotate) NAMED(gate) NAMED(attention)
    NAMED(target_logits) NAMED(head_tile) NAMED(head_finish)
    if (!body || count % 32) return 0;
    body_args = args;
    for (unsigned y = 0; y < blocks_y; ++y) {
        for (unsigned x = 0; x < blocks_x; ++x) {
            blockIdx = {x, y};
            run_block(count);
        }
    }
    return 1;
}
