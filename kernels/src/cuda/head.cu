// The fused head's own part: tiles of logits in, running sums of each row out; see cpu/head.rs, whose
// arithmetic this is. With d = logit - max, a row carries the greatest logit and the sums of e^d, d e^d and
// d^2 e^d; two such sums merge about the greater of their maxima.
//
// The logits of a tile come from cuBLASLt: the tile is small enough to stay in the second-level cache.

#define HEAD_THREADS 256
#define HELD 16

// Of a row over all tiles so far. The host knows its size: 32 bytes.
struct Moments {
    double s0, s1, s2;
    float max;
    u32 above;
};

struct Stats {
    float logprob, entropy, mean_logprob, variance;
    u32 rank;
};

template <typename T>
struct Sums {
    T max, s0, s1, s2;
};

__device__ __forceinline__ float power(float x) { return exp2f(LOG2_E * x); }
__device__ __forceinline__ double power(double x) { return exp(x); }

// The same sums about a greater maximum.
template <typename T>
__device__ __forceinline__ Sums<T> about(Sums<T> sums, T max) {
    if (sums.s0 != (T)0) {
        const T shift = sums.max - max;
        const T scale = power(shift);
        sums.s2 = scale * (sums.s2 + shift * ((T)2 * sums.s1 + shift * sums.s0));
        sums.s1 = scale * (sums.s1 + shift * sums.s0);
        sums.s0 = scale * sums.s0;
    }
    sums.max = max;
    return sums;
}

template <typename T>
__device__ __forceinline__ Sums<T> merge(Sums<T> a, Sums<T> b) {
    const T max = a.max > b.max ? a.max : b.max;
    a = about(a, max);
    b = about(b, max);
    return {max, a.s0 + b.s0, a.s1 + b.s1, a.s2 + b.s2};
}

// logits[row] = hidden[row] . output[targets[row]]. One warp a row.
KERNEL __launch_bounds__(HEAD_THREADS)
target_logits(const bf16* hidden, const bf16* output, const int* targets, float* logits, int rows, int dim) {
    const int row = blockIdx.x * (HEAD_THREADS / 32) + threadIdx.x / 32;
    if (row >= rows) return;
    const bf16* a = hidden + (size_t)row * dim;
    const bf16* b = output + (size_t)targets[row] * dim;
    float sum = 0.0f;
    for (int i = threadIdx.x % 32; i < dim; i += 32) sum += wide(a[i]) * wide(b[i]);
    sum = warp_sum(sum);
    if (threadIdx.x % 32 == 0) logits[row] = sum;
}

// Takes words `first` to `first + width` of the vocabulary into the moments of each row; the tile with the
// first word begins them. One block a row.
KERNEL __launch_bounds__(HEAD_THREADS)
head_tile(const float* logits, int width, int first, const int* targets, const float* target_logits,
          Moments* moments) {
    __shared__ Sums<float> parts[HEAD_THREADS / 32];
    __shared__ u32 counts[HEAD_THREADS / 32];
    const float* own = logits + (size_t)blockIdx.x * width;
    const float target_logit = target_logits[blockIdx.x];
    const int target = targets[blockIdx.x] - first;
    Sums<float> sums = {NOTHING, 0.0f, 0.0f, 0.0f};
    u32 above = 0;
    for (int start = 0; start < width; start += HEAD_THREADS * HELD) {
        float held[HELD];
        float max = sums.max;
#pragma unroll
        for (int j = 0; j < HELD; ++j) {
            const int word = start + j * HEAD_THREADS + (int)threadIdx.x;
            held[j] = word < width ? own[word] : NOTHING;
            max = fmaxf(max, held[j]);
            // The product may round the target's own logit above the one it is compared with.
            above += held[j] > target_logit && word != target;
        }
        sums = about(sums, max);
#pragma unroll
        for (int j = 0; j < HELD; ++j) {
            const int word = start + j * HEAD_THREADS + (int)threadIdx.x;
            if (word < width) {
                const float d = held[j] - max;
                const float e = power(d);
                const float de = d * e;
                sums.s0 += e;
                sums.s1 += de;
                sums.s2 += d * de;
            }
        }
    }
    for (int lanes = 16; lanes > 0; lanes /= 2) {
        const Sums<float> other = {shuffle_xor(sums.max, lanes), shuffle_xor(sums.s0, lanes),
                                   shuffle_xor(sums.s1, lanes), shuffle_xor(sums.s2, lanes)};
        sums = merge(sums, other);
        above += shuffle_xor(above, lanes);
    }
    if (threadIdx.x % 32 == 0) {
        parts[threadIdx.x / 32] = sums;
        counts[threadIdx.x / 32] = above;
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        Moments* mine = moments + blockIdx.x;
        Sums<double> whole = {(double)NOTHING, 0.0, 0.0, 0.0};
        u32 count = 0;
        if (first > 0) {
            whole = {(double)mine->max, mine->s0, mine->s1, mine->s2};
            count = mine->above;
        }
        for (int warp = 0; warp < HEAD_THREADS / 32; ++warp) {
            const Sums<float> part = parts[warp];
            const Sums<double> same = {(double)part.max, (double)part.s0, (double)part.s1, (double)part.s2};
            whole = merge(whole, same);
            count += counts[warp];
        }
        *mine = {whole.s0, whole.s1, whole.s2, (float)whole.max, count};
    }
}

// Comparisons are written so that NaN stays NaN: the host looks for it.
KERNEL __launch_bounds__(HEAD_THREADS)
head_finish(const Moments* moments, const float* target_logits, Stats* stats, int rows) {
    const int row = blockIdx.x * HEAD_THREADS + threadIdx.x;
    if (row >= rows) return;
    const Moments mine = moments[row];
    const double log_s0 = log(mine.s0);
    const double mean = mine.s1 / mine.s0;
    const double logprob = (double)target_logits[row] - (double)mine.max - log_s0;
    const double entropy = log_s0 - mean;
    const double variance = mine.s2 / mine.s0 - mean * mean;
    Stats out;
    out.logprob = logprob > 0.0 ? 0.0f : (float)logprob;
    out.entropy = entropy < 0.0 ? 0.0f : (float)entropy;
    out.mean_logprob = entropy < 0.0 ? 0.0f : (float)-entropy;
    out.variance = variance < 0.0 ? 0.0f : (float)variance;
    out.rank = mine.above + 1;
    stats[row] = out;
}
