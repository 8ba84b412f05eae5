// What happens to rows between the matrix products. The residual stream is f32; what goes into a product is
// bf16.

#define ROW_THREADS 128
#define ROTATE_THREADS 256
#define GATE_THREADS 256

// x[token] = table[tokens[token]] * scale. One block a token.
KERNEL __launch_bounds__(ROW_THREADS)
embed(const int* tokens, const bf16* table, float* x, int dim, float scale) {
    const bf16* from = table + (size_t)tokens[blockIdx.x] * dim;
    float* to = x + (size_t)blockIdx.x * dim;
    for (int i = threadIdx.x; i < dim; i += ROW_THREADS) to[i] = wide(from[i]) * scale;
}

// out[row] = RMSNorm(x[rows[row]]), or of x[row] where no rows are given. One block a row.
KERNEL __launch_bounds__(ROW_THREADS)
rms_norm(const float* x, const int* rows, const float* weight, bf16* out, int dim, float eps) {
    __shared__ float parts[ROW_THREADS / 32];
    const float* from = x + (size_t)(rows ? rows[blockIdx.x] : (int)blockIdx.x) * dim;
    bf16* to = out + (size_t)blockIdx.x * dim;
    float squares = 0.0f;
    for (int i = threadIdx.x; i < dim; i += ROW_THREADS) squares += from[i] * from[i];
    squares = block_sum<ROW_THREADS>(squares, parts);
    const float factor = 1.0f / sqrtf(squares / (float)dim + eps);
    for (int i = threadIdx.x; i < dim; i += ROW_THREADS) to[i] = narrow(from[i] * factor * weight[i]);
}

// x[row] += added[row] + bias, through RMSNorm first where a weight is given. One block a row.
KERNEL __launch_bounds__(ROW_THREADS)
residual(float* x, const float* added, const float* bias, const float* weight, int dim, float eps) {
    __shared__ float parts[ROW_THREADS / 32];
    const float* from = added + (size_t)blockIdx.x * dim;
    float* to = x + (size_t)blockIdx.x * dim;
    float factor = 1.0f;
    if (weight) {
        float squares = 0.0f;
        for (int i = threadIdx.x; i < dim; i += ROW_THREADS) {
            const float value = bias ? from[i] + bias[i] : from[i];
            squares += value * value;
        }
        squares = block_sum<ROW_THREADS>(squares, parts);
        factor = 1.0f / sqrtf(squares / (float)dim + eps);
    }
    for (int i = threadIdx.x; i < dim; i += ROW_THREADS) {
        const float value = bias ? from[i] + bias[i] : from[i];
        to[i] += weight ? value * factor * weight[i] : value;
    }
}

// Queries, keys and values of a token lie in one row of qkv, head after head. Adds the bias to all of them,
// normalises and turns queries and keys, in place. One block a token, one warp a head.
//
// `table` holds cosine and sine, position by position and pair by pair.
KERNEL __launch_bounds__(ROTATE_THREADS)
rotate(bf16* qkv, const float* bias, const float* query_norm, const float* key_norm, const float2* table,
       const int* positions, int heads, int kv_heads, float eps, int neighbours) {
    constexpr int half = HEAD_DIM / 2;
    // Pairs that a lane holds.
    constexpr int held = (half + 31) / 32;
    const int all = heads + 2 * kv_heads;
    const int lane = threadIdx.x % 32;
    const float2* turns = table + (size_t)positions[blockIdx.x] * half;
    for (int head = threadIdx.x / 32; head < all; head += ROTATE_THREADS / 32) {
        const bool turned = head < heads + kv_heads;
        if (!turned && !bias) break;
        const float* weight = head < heads ? query_norm : turned ? key_norm : (const float*)0;
        bf16* own = qkv + ((size_t)blockIdx.x * all + head) * HEAD_DIM;
        float a[held], b[held];
        float squares = 0.0f;
#pragma unroll
        for (int j = 0; j < held; ++j) {
            const int pair = lane + 32 * j;
            a[j] = b[j] = 0.0f;
            if (pair < half) {
                const int first = neighbours ? 2 * pair : pair;
                const int second = neighbours ? 2 * pair + 1 : pair + half;
                a[j] = wide(own[first]);
                b[j] = wide(own[second]);
                if (bias) {
                    a[j] += bias[head * HEAD_DIM + first];
                    b[j] += bias[head * HEAD_DIM + second];
                }
                squares += a[j] * a[j] + b[j] * b[j];
            }
        }
        float factor = 1.0f;
        if (weight) factor = 1.0f / sqrtf(warp_sum(squares) / (float)HEAD_DIM + eps);
#pragma unroll
        for (int j = 0; j < held; ++j) {
            const int pair = lane + 32 * j;
            if (pair < half) {
                const int first = neighbours ? 2 * pair : pair;
                const int second = neighbours ? 2 * pair + 1 : pair + half;
                float x = a[j], y = b[j];
                if (weight) {
                    x *= factor * weight[first];
                    y *= factor * weight[second];
                }
                if (turned) {
                    const float2 turn = turns[pair];
                    const float turned_x = x * turn.x - y * turn.y;
                    y = x * turn.y + y * turn.x;
                    x = turned_x;
                }
                own[first] = narrow(x);
                own[second] = narrow(y);
            }
        }
    }
}

__device__ __forceinline__ float activate(float x, int gelu) {
    if (gelu) {
        // x (1 + tanh(z)) / 2 = x sigmoid(2 z)
        const float z = 0.7978845608028654f * (x + 0.044715f * x * x * x);
        return x / (1.0f + exp2f(-2.0f * LOG2_E * z));
    }
    return x / (1.0f + exp2f(-LOG2_E * x));
}

// out = activation(gate) * up, where gate and up lie one after the other in each row. Two numbers a thread;
// blockIdx.x is the token.
KERNEL __launch_bounds__(GATE_THREADS)
gate(const bf16* gate_up, const float* bias, bf16* out, int width, int gelu) {
    const int first = 2 * (blockIdx.y * GATE_THREADS + threadIdx.x);
    if (first >= width) return;
    const bf16* gates = gate_up + (size_t)blockIdx.x * 2 * width + first;
    const bf16* ups = gates + width;
    bf16* to = out + (size_t)blockIdx.x * width + first;
    const bool paired = width % 2 == 0;
    float gate0, gate1 = 0.0f, up0, up1 = 0.0f;
    if (paired) {
        const u32 two_gates = *(const u32*)gates;
        const u32 two_ups = *(const u32*)ups;
        gate0 = low(two_gates);
        gate1 = high(two_gates);
        up0 = low(two_ups);
        up1 = high(two_ups);
    } else {
        gate0 = wide(gates[0]);
        up0 = wide(ups[0]);
        if (first + 1 < width) {
            gate1 = wide(gates[1]);
            up1 = wide(ups[1]);
        }
    }
    if (bias) {
        gate0 += bias[first];
        up0 += bias[width + first];
        if (first + 1 < width) {
            gate1 += bias[first + 1];
            up1 += bias[width + first + 1];
        }
    }
    const float out0 = activate(gate0, gelu) * up0;
    const float out1 = activate(gate1, gelu) * up1;
    if (paired) {
        *(u32*)to = pack(out0, out1);
    } else {
        to[0] = narrow(out0);
        if (first + 1 < width) to[1] = narrow(out1);
    }
}
