"""Measure how fast the reference watermark detectors score token ids.

The detectors are the ones in the `transformers` library: `WatermarkDetector`
with the `lefthash` and the `selfhash` scheme, and SynthID Text (g-values,
context repetition mask and weighted mean). No model, tokenizer or network is
needed: a bare object stands in for the model's configuration.

    python reference_speed.py ids.json --vocab-size 49152

`ids.json` holds `{"ids": [[1, 2, ...], ...]}`. For every scheme one JSON line
is printed:

    {"scheme": "kgw_lefthash", "tokens_per_second": 1234.5, ...}

`tokens` counts the ids given, not the (fewer) positions a scheme scores. The
best of `--rounds` timed passes over all the sequences is reported, after one
pass that is not timed. Building a detector is not timed either.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
import transformers
from transformers import SynthIDTextWatermarkLogitsProcessor, WatermarkDetector

HASHING_KEY = 15485863
GREENLIST_RATIO = 0.25
# The keys of SynthID Text's published example configuration.
SYNTHID_KEYS = (
    654, 400, 836, 123, 340, 443, 597, 160, 57, 29,
    590, 639, 13, 715, 468, 990, 966, 226, 324, 585,
    118, 504, 421, 521, 129, 669, 732, 225, 90, 960,
)  # fmt: skip
SYNTHID_NGRAM_LEN = 5

# Scores one sequence of shape (1, length) and returns its statistic.
Score = Callable[[torch.Tensor], float]


@dataclass(frozen=True)
class Scheme:
    """A named reference detector and the shortest sequence it can score."""

    name: str
    min_tokens: int
    score: Score


def kgw(seeding_scheme: str, context_width: int, vocab_size: int) -> Scheme:
    """The green-list detector (Kirchenbauer et al.) of `transformers`."""
    # Any: the library annotates its arguments more narrowly than it reads them.
    model_config: Any = SimpleNamespace(vocab_size=vocab_size, bos_token_id=-1, is_encoder_decoder=False)
    detector: Any = WatermarkDetector(
        model_config=model_config,
        device="cpu",
        watermarking_config={
            "greenlist_ratio": GREENLIST_RATIO,
            "bias": 2.0,
            "hashing_key": HASHING_KEY,
            "seeding_scheme": seeding_scheme,
            "context_width": context_width,
        },
        ignore_repeated_ngrams=True,
    )

    def score(ids: torch.Tensor) -> float:
        return float(detector(ids, return_dict=True).z_score[0])

    return Scheme(f"kgw_{seeding_scheme}", context_width + 1, score)


def weighted_mean(g_values: torch.Tensor, mask: torch.Tensor) -> float:
    """SynthID's weighted mean: weights fall linearly from 10 to 1 over depth.

    `g_values` has shape (1, positions, depth), `mask` (1, positions). NaN if
    every position is masked.
    """
    weights = torch.linspace(10, 1, g_values.shape[-1], dtype=torch.float64)
    weights /= weights.sum()
    per_position = (g_values * weights).sum(dim=-1)
    return float((per_position * mask).sum() / mask.sum())


def synthid() -> Scheme:
    """SynthID Text as `transformers` implements it."""
    processor: Any = SynthIDTextWatermarkLogitsProcessor(
        ngram_len=SYNTHID_NGRAM_LEN,
        keys=list(SYNTHID_KEYS),
        sampling_table_size=2**16,
        sampling_table_seed=0,
        context_history_size=1024,
        device=torch.device("cpu"),
    )

    def score(ids: torch.Tensor) -> float:
        g_values = processor.compute_g_values(ids)
        mask = processor.compute_context_repetition_mask(ids)
        return weighted_mean(g_values, mask)

    return Scheme("synthid", SYNTHID_NGRAM_LEN, score)


def best_seconds(scheme: Scheme, sequences: Sequence[torch.Tensor], rounds: int) -> float:
    """Seconds of the fastest of `rounds` passes over `sequences`."""
    best = float("inf")
    for timed in [False] + [True] * rounds:
        start = time.perf_counter()
        for ids in sequences:
            scheme.score(ids)
        if timed:
            best = min(best, time.perf_counter() - start)
    return best


def read_sequences(path: Path, vocab_size: int) -> list[torch.Tensor]:
    """The sequences of an `{"ids": [[...], ...]}` file, each of shape (1, length)."""
    rows: list[list[int]] = json.loads(path.read_text(encoding="utf-8"))["ids"]
    for row in rows:
        if any(not 0 <= token < vocab_size for token in row):
            raise SystemExit(f"{path}: a token id is not in 0..{vocab_size}")
    return [torch.tensor([row], dtype=torch.long) for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ids", type=Path, help='JSON file with {"ids": [[...], ...]}')
    parser.add_argument("--vocab-size", type=int, default=49152, help="vocabulary size (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="timed passes, of which the best counts (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="threads torch may use (default: %(default)s)")
    args = parser.parse_args()
    if args.rounds < 1 or args.threads < 1:
        parser.error("--rounds and --threads must be at least 1")

    torch.set_num_threads(args.threads)
    everything = read_sequences(args.ids, args.vocab_size)
    schemes = [kgw("lefthash", 1, args.vocab_size), kgw("selfhash", 4, args.vocab_size), synthid()]
    for scheme in schemes:
        sequences = [ids for ids in everything if ids.shape[1] >= scheme.min_tokens]
        tokens = sum(ids.shape[1] for ids in sequences)
        if not tokens:
            raise SystemExit(f"{args.ids}: no sequence is long enough for {scheme.name}")
        with torch.inference_mode():
            seconds = best_seconds(scheme, sequences, args.rounds)
        report = {
            "scheme": scheme.name,
            "tokens_per_second": round(tokens / seconds, 1),
            "tokens": tokens,
            "sequences": len(sequences),
            "seconds": round(seconds, 4),
            "vocab_size": args.vocab_size,
            "threads": args.threads,
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        }
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
