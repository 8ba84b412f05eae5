"""llama.cpp's side of `cargo xtask bench llama`: one model, driven by lines of JSON on stdin and stdout.

Each request is an object with the key "do"; each answer is an object, with the key "error" if it failed:

    load      path, threads, context -> about, system, python_mib; 'ubatch' says how many tokens go at once
    score     tokens, ubatch -> decode_s, logprob_s, logprobs (of each token but the first)
    memory    -> peak_mib, or null where the system does not tell it
    quantise  from, to, format, threads -> nothing
    buffers   -> lines in which llama.cpp said where the weights went
"""

import ctypes
import json
import sys
import time

import llama_cpp as llama
import numpy as np

FORMATS = {
    "Q4_0": llama.LLAMA_FTYPE_MOSTLY_Q4_0,
    "Q8_0": llama.LLAMA_FTYPE_MOSTLY_Q8_0,
    "F16": llama.LLAMA_FTYPE_MOSTLY_F16,
    "BF16": llama.LLAMA_FTYPE_MOSTLY_BF16,
}
# Rows of logits that are reduced at once: few enough to stay in the cache.
ROWS = 16

log = []


@llama.llama_log_callback
def keep(_level, text, _data):
    """llama.cpp's own log; the end of it explains a failure."""
    log.append(text.decode(errors="replace"))


class Model:
    """A loaded model, and a context for each size of micro-batch that was asked for."""

    def __init__(self, path, threads, context):
        params = llama.llama_model_default_params()
        params.load_mode = llama.LLAMA_LOAD_MODE_MMAP
        self.model = llama.llama_model_load_from_file(path.encode(), params)
        if not self.model:
            raise RuntimeError(f"llama.cpp could not load {path}: {''.join(log[-3:]).strip()}")
        self.vocabulary = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(self.model))
        self.threads = threads
        self.context = context
        self.contexts = {}

    def about(self):
        text = ctypes.create_string_buffer(256)
        llama.llama_model_desc(self.model, text, len(text))
        return text.value.decode()

    def open(self, ubatch):
        """The context with this micro-batch, and a batch as large as the context."""
        if ubatch not in self.contexts:
            params = llama.llama_context_default_params()
            params.n_ctx = params.n_batch = self.context
            params.n_ubatch = ubatch
            params.n_threads = params.n_threads_batch = self.threads
            context = llama.llama_init_from_model(self.model, params)
            if not context:
                raise RuntimeError(f"llama.cpp made no context: {''.join(log[-3:]).strip()}")
            self.contexts[ubatch] = context, llama.llama_batch_init(self.context, 0, 1)
        return self.contexts[ubatch]

    def score(self, tokens, ubatch):
        context, batch = self.open(ubatch)
        batch.n_tokens = len(tokens)
        for i, token in enumerate(tokens):
            batch.token[i] = token
            batch.pos[i] = i
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = 0
            batch.logits[i] = 1
        llama.llama_memory_clear(llama.llama_get_memory(context), True)

        start = time.perf_counter()
        failed = llama.llama_decode(context, batch)
        llama.llama_synchronize(context)
        pointer = llama.llama_get_logits(context)
        decoded = time.perf_counter()
        if failed or not pointer:
            raise RuntimeError(f"llama_decode returned {failed}: {''.join(log[-3:]).strip()}")
        logits = np.ctypeslib.as_array(pointer, shape=(len(tokens), self.vocabulary))
        logprobs = next_logprobs(logits[:-1], np.array(tokens[1:]))
        done = time.perf_counter()
        return {
            "decode_s": decoded - start,
            "logprob_s": done - decoded,
            "logprobs": [float(value) for value in logprobs],
        }


def next_logprobs(logits, tokens):
    found = np.empty(len(tokens), np.float32)
    scratch = np.empty((ROWS, logits.shape[1]), np.float32)
    for start in range(0, len(tokens), ROWS):
        rows = logits[start : start + ROWS]
        shifted = scratch[: len(rows)]
        np.subtract(rows, rows.max(axis=1, keepdims=True), out=shifted)
        chosen = shifted[np.arange(len(rows)), tokens[start : start + ROWS]]
        np.exp(shifted, out=shifted)
        found[start : start + ROWS] = chosen - np.log(shifted.sum(axis=1))
    return found


def peak_mib():
    """Peak resident memory of this process, where the system tells it (Linux)."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return None


def quantise(source, target, format, threads):
    params = llama.llama_model_quantize_default_params()
    params.nthread = threads
    params.ftype = FORMATS[format]
    params.allow_requantize = True
    if llama.llama_model_quantize(source.encode(), target.encode(), params):
        raise RuntimeError(f"llama.cpp could not make {format}: {''.join(log[-3:]).strip()}")


def main():
    llama.llama_log_set(keep, ctypes.c_void_p())
    llama.llama_backend_init()
    python_mib = peak_mib()
    model = None
    for line in sys.stdin:
        request = json.loads(line)
        answer = {}
        try:
            if request["do"] == "load":
                model = Model(request["path"], request["threads"], request["context"])
                answer["about"] = model.about()
                answer["system"] = llama.llama_print_system_info().decode().strip()
                answer["python_mib"] = python_mib
            elif request["do"] == "score":
                answer = model.score(request["tokens"], request["ubatch"])
            elif request["do"] == "memory":
                answer["peak_mib"] = peak_mib()
            elif request["do"] == "quantise":
                quantise(request["from"], request["to"], request["format"], request["threads"])
            elif request["do"] == "buffers":
                lines = "".join(log).splitlines()
                answer["lines"] = [line.strip() for line in lines if "model buffer size" in line]
            else:
                raise RuntimeError(f"there is no request {request['do']!r}")
        except Exception as error:  # The other side prints it.
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
