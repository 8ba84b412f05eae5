// Causal attention over packed sequences, in the manner of FlashAttention-2 (Dao 2023): a block holds 64
// queries of one sequence and one head in registers, walks the keys that any of them sees, and keeps for each
// query the greatest score so far, the sum of e^(score - greatest), and the values weighted alike. Products run
// on the tensor cores through mma.m16n8k16, so that this does not take longer than the products with the
// weights.
//
// A warp has 16 queries. In its fragments a lane holds rows `lane / 4` and that plus 8, columns
// `2 (lane % 4)` and the next, of every 8 columns.

#define ATTENTION_THREADS 128
#define QUERIES 64
#if HEAD_DIM > 128
#define KEYS 32
#else
#define KEYS 64
#endif
// The tensor cores take 16 numbers at a time; what a head lacks is zero.
#define PADDED ((HEAD_DIM + 15) / 16 * 16)
// Eight more, so that the rows of a matrix lie in different banks.
#define PITCH (PADDED + 8)

// KEYS rows of keys or values into shared memory; zero from `end` on.
__device__ __forceinline__ void fetch(bf16* to, const bf16* from, size_t stride, int base, int end) {
#if HEAD_DIM % 8 == 0
    for (int i = threadIdx.x; i < KEYS * (PADDED / 8); i += ATTENTION_THREADS) {
        const int row = i / (PADDED / 8);
        const int column = i % (PADDED / 8) * 8;
        uint4 eight = {0, 0, 0, 0};
        if (base + row < end && column < HEAD_DIM) {
            eight = *(const uint4*)(from + (size_t)(base + row) * stride + column);
        }
        *(uint4*)(to + row * PITCH + column) = eight;
    }
#else
    for (int i = threadIdx.x; i < KEYS * PADDED; i += ATTENTION_THREADS) {
        const int row = i / PADDED;
        const int column = i % PADDED;
        const bool there = base + row < end && column < HEAD_DIM;
        to[row * PITCH + column] = there ? from[(size_t)(base + row) * stride + column] : (bf16)0;
    }
#endif
}

// tiles: for each block its first query, the start and the end of that query's sequence. blockIdx.y is the
// head. `scale` holds the factor log2 e, so that powers are of 2.
KERNEL __launch_bounds__(ATTENTION_THREADS)
attention(const bf16* qkv, const int* tiles, bf16* mixed, int heads, int kv_heads, int window, float scale) {
    __shared__ __align__(16) bf16 keys[KEYS * PITCH];
    __shared__ __align__(16) bf16 values[KEYS * PITCH];
    const int first = tiles[3 * blockIdx.x];
    const int start = tiles[3 * blockIdx.x + 1];
    const int end = tiles[3 * blockIdx.x + 2];
    const int head = blockIdx.y;
    const int kv_head = head / (heads / kv_heads);
    const size_t stride = (size_t)(heads + 2 * kv_heads) * HEAD_DIM;
    const bf16* all_keys = qkv + (size_t)(heads + kv_head) * HEAD_DIM;
    const bf16* all_values = all_keys + (size_t)kv_heads * HEAD_DIM;
    const int lane = threadIdx.x % 32;
    const int warp_first = first + threadIdx.x / 32 * 16;
    const int row0 = warp_first + lane / 4;
    const int row1 = row0 + 8;
    const int pair = lane % 4 * 2;

    u32 query[PADDED / 16][4];
#pragma unroll
    for (int step = 0; step < PADDED / 16; ++step) {
#pragma unroll
        for (int part = 0; part < 4; ++part) {
            const int row = part % 2 ? row1 : row0;
            const int column = 16 * step + pair + part / 2 * 8;
            query[step][part] = 0;
            if (row < end && column < HEAD_DIM) {
                query[step][part] = *(const u32*)(qkv + (size_t)row * stride + head * HEAD_DIM + column);
            }
        }
    }

    float out[PADDED / 8][4];
#pragma unroll
    for (int n = 0; n < PADDED / 8; ++n) {
#pragma unroll
        for (int i = 0; i < 4; ++i) out[n][i] = 0.0f;
    }
    float max0 = NOTHING, max1 = NOTHING, sum0 = 0.0f, sum1 = 0.0f;

    const int last = min(first + QUERIES, end) - 1;
    for (int base = max(start, first - window + 1); base <= last; base += KEYS) {
        __syncthreads();
        fetch(keys, all_keys, stride, base, end);
        fetch(values, all_values, stride, base, end);
        __syncthreads();
        // The same for all lanes: none of this warp's queries sees these keys.
        if (base > warp_first + 15 || warp_first > last) continue;

        float scores[KEYS / 8][4];
#pragma unroll
        for (int n = 0; n < KEYS / 8; ++n) {
#pragma unroll
            for (int i = 0; i < 4; ++i) scores[n][i] = 0.0f;
        }
#pragma unroll
        for (int step = 0; step < PADDED / 16; ++step) {
#pragma unroll
            for (int n = 0; n < KEYS / 16; ++n) {
                // Matrices: keys n..n+7 and n+8..n+15, each with numbers 0..7 and 8..15 of this step.
                u32 b[4];
                const int key = 16 * n + lane / 16 * 8 + lane % 8;
                const int column = 16 * step + lane / 8 % 2 * 8;
                load_matrices(b, keys + key * PITCH + column);
                mma(scores[2 * n], query[step], b[0], b[1]);
                mma(scores[2 * n + 1], query[step], b[2], b[3]);
            }
        }

        float new0 = max0, new1 = max1;
#pragma unroll
        for (int n = 0; n < KEYS / 8; ++n) {
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                const int key = base + 8 * n + pair + i % 2;
                const int row = i < 2 ? row0 : row1;
                const bool seen = key <= row && key > row - window;
                scores[n][i] = seen ? scores[n][i] * scale : NOTHING;
            }
            new0 = fmaxf(new0, fmaxf(scores[n][0], scores[n][1]));
            new1 = fmaxf(new1, fmaxf(scores[n][2], scores[n][3]));
        }
        // The four lanes of a row.
        new0 = fmaxf(new0, shuffle_xor(new0, 1));
        new0 = fmaxf(new0, shuffle_xor(new0, 2));
        new1 = fmaxf(new1, shuffle_xor(new1, 1));
        new1 = fmaxf(new1, shuffle_xor(new1, 2));
        // A query whose window begins later has seen nothing yet; nothing minus nothing must not be NaN.
        const float about0 = new0 == NOTHING ? 0.0f : new0;
        const float about1 = new1 == NOTHING ? 0.0f : new1;
        const float fade0 = exp2f(max0 - about0);
        const float fade1 = exp2f(max1 - about1);
        max0 = new0;
        max1 = new1;
        sum0 *= fade0;
        sum1 *= fade1;
#pragma unroll
        for (int n = 0; n < KEYS / 8; ++n) {
            scores[n][0] = exp2f(scores[n][0] - about0);
            scores[n][1] = exp2f(scores[n][1] - about0);
            scores[n][2] = exp2f(scores[n][2] - about1);
            scores[n][3] = exp2f(scores[n][3] - about1);
            sum0 += scores[n][0] + scores[n][1];
            sum1 += scores[n][2] + scores[n][3];
        }
#pragma unroll
        for (int n = 0; n < PADDED / 8; ++n) {
            out[n][0] *= fade0;
            out[n][1] *= fade0;
            out[n][2] *= fade1;
            out[n][3] *= fade1;
        }
#pragma unroll
        for (int step = 0; step < KEYS / 16; ++step) {
            // Sums of one product lie as the left side of the next has it.
            const u32 weights[4] = {
                pack(scores[2 * step][0], scores[2 * step][1]),
                pack(scores[2 * step][2], scores[2 * step][3]),
                pack(scores[2 * step + 1][0], scores[2 * step + 1][1]),
                pack(scores[2 * step + 1][2], scores[2 * step + 1][3]),
            };
#pragma unroll
            for (int n = 0; n < PADDED / 16; ++n) {
                // Matrices: keys 0..7 and 8..15 of this step, for numbers n..n+7 and then n+8..n+15.
                u32 b[4];
                const int key = 16 * step + lane / 8 % 2 * 8 + lane % 8;
                const int column = 16 * n + lane / 16 * 8;
                load_transposed(b, values + key * PITCH + column);
                mma(out[2 * n], weights, b[0], b[1]);
                mma(out[2 * n + 1], weights, b[2], b[3]);
            }
        }
    }

    sum0 += shuffle_xor(sum0, 1);
    sum0 += shuffle_xor(sum0, 2);
    sum1 += shuffle_xor(sum1, 1);
    sum1 += shuffle_xor(sum1, 2);
#pragma unroll
    for (int n = 0; n < PADDED / 8; ++n) {
        const int column = 8 * n + pair;
        if (column < HEAD_DIM) {
            bf16* to = mixed + (size_t)head * HEAD_DIM + column;
            const size_t width = (size_t)heads * HEAD_DIM;
            if (row0 < end) *(u32*)(to + (size_t)row0 * width) = pack(out[n][0] / sum0, out[n][1] / sum0);
            if (row1 < end) *(u32*)(to + (size_t)row1 * width) = pack(out[n][2] / sum1, out[n][3] / sum1);
        }
    }
}
