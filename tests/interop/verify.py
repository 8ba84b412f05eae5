#!/usr/bin/env python3
"""Checks vectors (`verify.py vectors.json`), or a text (`verify.py FILE.txt FILE.txt.human.json`).

Written from core/src/signature/SPEC.md alone; section 5 is here, the others are in statement.py and signature.py.
"""

import datetime
import io
import json
import re
import sys

from signature import base58, credential, envelope, ssh
from statement import canonical, check, describe, hazard, need, plain, words


def signed(text, value):
    statement = (credential if "proof" in value else envelope)(**value)
    check(statement, canonical(text))
    return True


def token(text, word):
    """Gives the statement that a token makes of the message before it."""
    need(re.fullmatch("human1[0-9A-Za-z]{1,213}", word), "no token")
    data = io.BytesIO(base58(word[6:]))

    def take(size):
        part = data.read(size)
        need(len(part) == size, "cut off")
        return part

    def number(size=1):
        return int.from_bytes(take(size), "big")

    def string():
        return take(number()).decode()

    def time():
        return datetime.datetime.fromtimestamp(number(4), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    flags, key, signature = number(), take(32), take(64)
    need(flags < 32, "flags")
    hardware = {"touch": take(5), "application": take(number()) or b"ssh:"} if flags & 1 else {}
    statement = {"type": "generated-by-human/1", "canonicalization": "bonafide-text-1", "date": time()}
    if flags & 4:
        statement["expires"] = time()
    size = take(1)
    while size[-1] > 127:
        size += take(1)
    need(len(size) == 1 or len(size) <= 5 and size[-1], "form of the length")
    length = sum((byte & 127) << 7 * place for place, byte in enumerate(size))
    statement |= {"language": string(), "author": {"name": string()}}
    if flags & 2:
        statement["author"]["identity"] = ("https://", "github:")[number()] + string()
    statement["assistance"] = ("none", "spelling", "translation")[flags >> 3] if flags < 24 else string()
    need(not data.read(), "bytes too many")
    marked = canonical(text)
    starts = [0, *(m.end() for m in re.finditer("[\n\r]", marked))]
    message = next((m for m in (plain(marked[at:]) for at in starts) if len(m.encode()) == length), "")
    statement["text"] = describe(message)
    ssh(statement, key, signature, **hardware)
    check(statement, message)
    return statement


def survey(text):
    form = plain(canonical(text))
    return form, words(form), hazard(form)


def attempt(name, wanted, function, *inputs):
    try:
        found, why = function(*inputs), ""
    except Exception as error:  # Whatever goes wrong, it is not a good statement.
        found, why = False, f" ({type(error).__name__}: {error})"
    print(f"{'ok' if found == wanted else 'MISMATCH'}: {name}{why}")
    return found == wanted


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


if len(sys.argv) == 3:
    found = json.loads(read(sys.argv[2]))
    found = found if isinstance(found, list) else [found]
    jobs = [(sys.argv[1], True, signed, read(sys.argv[1]), value) for value in found]
else:
    vectors = json.loads(read(sys.argv[1]))
    jobs = [(v["name"], (v["canonical"], v["words"], v["hazard"]), survey, v["input"]) for v in vectors["canonical"]]
    jobs += [(v["name"], v["good"], signed, v["text"], v["envelope"]) for v in vectors["statements"]]
    jobs += [(v["name"], v["good"] and v["statement"], token, v["text"], v["token"]) for v in vectors["tokens"]]
done = [attempt(*job) for job in jobs]
print(f"{sum(done)} of {len(done)} as expected")
sys.exit(0 if done and all(done) else 1)
