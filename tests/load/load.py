#!/usr/bin/env python3
"""Load on a running daemon: many clients at once, texts of mixed sizes, for some seconds.

    tests/load/load.py [--clients 200] [--seconds 20] [--address 127.0.0.1:8017] [--token-file FILE]

Prints answers by status, the times of those that were scored, and the daemon's resident memory before and
after. Exits with 1 if any answer was neither 200 nor 429, or if the memory grew by more than --growth MiB.
Standard library only.
"""

import argparse
import asyncio
import collections
import json
import os
import pathlib
import random
import re
import sys
import time

WORDS = (
    "river stone window under quiet market seldom open bridge winter letter paper morning people water "
    "garden because without between another house small great answer question never always street light"
).split()
# Words in a text, and how often such a text is sent.
SIZES = [(5, 20), (40, 40), (120, 25), (400, 12), (1500, 3)]


def text(rng):
    """A text that no cache knows, one time in ten a text that it does."""
    if rng.random() < 0.1:
        rng = random.Random(rng.randrange(20))
    (count,) = rng.choices([size for size, _ in SIZES], [weight for _, weight in SIZES])
    return " ".join(rng.choice(WORDS) for _ in range(count)) + "."


class Client:
    def __init__(self, host, port, token, seed):
        self.host, self.port, self.token = host, port, token
        self.rng = random.Random(seed)
        self.streams = None

    async def request(self, method, path, body=None):
        if self.streams is None:
            self.streams = await asyncio.open_connection(self.host, self.port)
        reader, writer = self.streams
        data = b"" if body is None else json.dumps(body).encode()
        writer.write(
            f"{method} {path} HTTP/1.1\r\nhost: {self.host}:{self.port}\r\nx-api-key: {self.token}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n".encode() + data
        )
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        status = int(head.split(" ", 2)[1])
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        answer = await reader.readexactly(int(headers["content-length"]))
        if headers.get("connection") == "close":
            await self.close()
        return status, headers, answer

    async def close(self):
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None

    async def score(self):
        if self.rng.random() < 0.2:
            count = self.rng.randint(2, 8)
            body = {"blocks": [{"id": str(n), "text": text(self.rng)} for n in range(count)]}
        else:
            body = {"text": text(self.rng), "tokens": self.rng.random() < 0.2}
        return await self.request("POST", "/v1/score", body)


async def run(client, end, answers, times):
    while time.monotonic() < end:
        started = time.monotonic()
        try:
            status, headers, answer = await client.score()
        except (OSError, asyncio.IncompleteReadError) as error:
            answers[type(error).__name__] += 1
            await client.close()
            continue
        took = time.monotonic() - started
        answers[status] += 1
        if status == 200:
            json.loads(answer)
            times.append(took)
        elif status == 429:
            if "retry-after" not in headers:
                answers["429 without retry-after"] += 1
            # A polite client waits as long as it is told, but never beyond the end of the test. The daemon closes
            # connections that say nothing for a while.
            await client.close()
            await asyncio.sleep(min(float(headers.get("retry-after", 1)), max(0.0, end - time.monotonic())))
        else:
            print(status, answer.decode(errors="replace")[:300], file=sys.stderr)


async def resident(client):
    """Resident memory in MiB, as the daemon's metrics tell it."""
    _, _, answer = await client.request("GET", "/metrics")
    await client.close()
    found = re.search(r"^bonafide_resident_memory_bytes (\d+)", answer.decode(), re.M)
    return int(found[1]) / 2**20 if found else float("nan")


async def main(options):
    token = pathlib.Path(options.token_file).read_text().strip()
    host, port = options.address.rsplit(":", 1)
    control = Client(host, int(port), token, 0)
    # Once through all sizes, so that buffers and threads are there before memory is measured.
    for _ in range(5):
        await control.score()
    before = await resident(control)
    answers, times = collections.Counter(), []
    end = time.monotonic() + options.seconds
    clients = [Client(host, int(port), token, seed + 1) for seed in range(options.clients)]
    await asyncio.gather(*(run(client, end, answers, times) for client in clients))
    for client in clients:
        await client.close()
    after = await resident(control)

    times.sort()
    at = lambda share: times[min(len(times) - 1, int(share * len(times)))] if times else float("nan")
    print(f"{options.clients} clients, {options.seconds} s")
    print("answers: " + ", ".join(f"{status}: {count}" for status, count in sorted(answers.items(), key=str)))
    print(f"time to a score: p50 {at(0.5):.2f} s, p90 {at(0.9):.2f} s, p99 {at(0.99):.2f} s")
    print(f"resident memory: {before:.0f} MiB before, {after:.0f} MiB after")
    errors = {status: count for status, count in answers.items() if status not in (200, 429)}
    if errors:
        print(f"failed: {errors}")
    if after - before > options.growth:
        print(f"failed: memory grew by {after - before:.0f} MiB")
    if not times:
        print("failed: nothing was scored")
    return 1 if errors or not times or after - before > options.growth else 0


def first_token():
    home = os.environ.get("BONAFIDE_HOME")
    config = pathlib.Path(os.environ.get("XDG_CONFIG_HOME") or pathlib.Path.home() / ".config")
    return (pathlib.Path(home) / "config" if home else config / "bonafide") / "token"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--address", default="127.0.0.1:8017")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--growth", type=float, default=64, help="MiB that the daemon may grow by")
    parser.add_argument("--token-file", default=first_token())
    sys.exit(asyncio.run(main(parser.parse_args())))
