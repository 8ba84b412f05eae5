"""What is signed: sections 1 and 2 of core/src/signature/SPEC.md, written from that page alone."""

import datetime
import hashlib
import itertools
import json
import re
import unicodedata


def chars(ranges):
    """The inside of a regular expression's brackets, from ranges as the specification writes them."""
    return "".join("-".join(chr(int(end, 16)) for end in part.split("-")) for part in ranges.split())


SPACE = re.compile(f'[{chars("9-D 20 85 A0 1680 2000-200A 2028 2029 202F 205F 3000")}]+')
DROP = re.compile(f'[{chars("AD 34F 180E 200B 2060-2064 FEFF FE00-FE0F E0000-E0FFF")}]')
HAZARD = re.compile(f'[{chars("202A-202E 2066-2069 0-8 E-1F 7F-84 86-9F")}]')
FOLD = {ord(c): to for to, of in {"'": "‘’‚‛′", '"': "“”„‟″", "-": "‐‑‒–—―−", "...": "…"}.items() for c in of}
FOLD |= dict(zip(range(0xFB00, 0xFB07), "ff fi fl ffi ffl st st".split()))
HIDDEN = re.compile(f'[{chars("9-D 85 A0 61C 115F 1160 1680 2000-200B 200E 200F 2028 2029 202F 205F 206A-206F 2800")}'
                    f'{chars("3000 3164 FFA0 FFF9-FFFB")}]')
HAN = "31F0-31FF 3400-4DBF 4E00-9FFF F900-FAFF 20000-3FFFF "
C = chars(HAN + "2E80-303F 3040-312F FF00-FF0F FF1A-FF20 FF3B-FF40 FF5B-FF9F")
E = chars("2190-2BFF 1F000-1FAFF")
J = chars("600-8FF 1800-18AF A840-A87F FB50-FDFF FE70-FEFC 10AC0-10AFF "
          "10B80-10BAF 10D00-10D3F 10F30-10FDF 1E900-1E95F")
W = chars("30-39 41-5A 61-7A C0-1FFF 2C00-2FFF 3040-FE0F FE70-FEFF FF10-FF19 FF21-1EFFF 1FB00-10FFFF")
S = chars(HAN + "E00-EFF 1000-109F 1780-17FF 3005 3007 3041-30FF 3105-312F FF66-FF9D")
IS_C, IS_E, IS_J, IS_W = (re.compile(f"[{inside}]").match for inside in (C, E, J, W))
TIME = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
FORMS = {
    "type": "generated-by-human/1", "canonicalization": "bonafide-text-1", "date": TIME, "expires": TIME,
    "language": "(?=.{1,35}$)[A-Za-z]{1,8}(-[0-9A-Za-z]{1,8})*", "assistance": ".{1,280}", "name": ".{1,64}",
    "identity": r"https://(?!([^:]*\.)?([0-9]+|0x[^.:]*)(:|$))[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?"
                r"|github:[0-9A-Za-z-]{1,39}",
}
MEMBERS = {"type", "canonicalization", "text", "language", "author", "date", "assistance"}
COUNTS = {"keystrokes", "deletions", "pasted_percent", "active_minutes", "revisions"}


def need(condition, why):
    if not condition:
        raise ValueError(why)


def combining(c):
    return unicodedata.combining(c) if c else 0


def sides(m):
    return m.string[max(m.start() - 1, 0):m.start()], m.string[m.end():m.end() + 1]


def joiners(text):
    kept, base, virama = [], "", False
    for at, c in enumerate(text):
        if c in "\u200c\u200d":
            n = text[at:].lstrip("\u200c\u200d")[:1]
            marks = itertools.takewhile(lambda d: combining(d) or d in "\u200c\u200d", text[at:] * (c == "\u200d"))
            sign = base not in "\u0dcf\u0dd9\u0ddc" and (virama or any(combining(d) == 9 for d in marks))
            after = IS_J(n) and not combining(n)
            joins = IS_J(base) and after if c == "\u200c" else IS_J(base) or after or IS_E(base) and IS_E(n)
            if base in ("", " ", "\n", "\u200c", "\u200d") or not (sign or joins):
                continue
        base, virama = (base, virama or combining(c) == 9) if combining(c) else (c, False)
        kept.append(c)
    return "".join(kept)


def space(m):
    (p, n), cut = sides(m), "\n" in m[0]
    return "\r" * cut if (IS_C(p) or IS_C(n)) and not combining(n) else " \n"[cut]


def hyphens(m):
    p, n = sides(m)
    opens, closes = (c in ("", " ", "\n") or bool(IS_C(c)) for c in (p, n))
    dash = closes if opens else p not in "([{</=" and not closes and (n in "'\"" or IS_W(n))
    return m[1] + "-" + m[3] if dash else m[0]


def canonical(text):
    r"""The canonical form, but \n is a space at a block break, and \r is a block break without a space."""
    text = SPACE.sub(lambda m: " \n"[m[0].count("\n") > 1], text)
    text = unicodedata.normalize("NFC", DROP.sub("", text).translate(FOLD))
    text = unicodedata.normalize("NFC", joiners(text))
    return re.sub("(?<!-)(\r?)(-{2,3})(\r?)(?!-)", hyphens, re.sub("[ \n]+", space, text.strip(" \n")))


def plain(marked):
    return marked.replace("\n", " ").replace("\r", "")


def words(text):
    return len(re.findall(f"[{S}]|[^ {C}{S}]+", text))


def hazard(text):
    marks = "".join("1" if combining(c) else "0" for c in unicodedata.normalize("NFD", text))
    return bool(HAZARD.search(text)) or "1" * 31 in marks


def describe(marked):
    """The member `text`, with its table of paragraphs."""
    whole, table, start = plain(marked).encode(), [], 0
    for piece, end in re.findall("([^\n\r]+)([\n\r]?)", marked):
        data, window, rolling = piece.encode(), whole[start:start + 32], 0
        for byte in window:
            rolling = (rolling * 0x9E3779B97F4A7C15 + byte) % 2**64
        table.append({"start": start, "length": len(data), "sha256": hashlib.sha256(data).hexdigest()})
        if len(window) == 32:
            table[-1]["anchor"] = f"{rolling:016x}"
        start += len(data) + (end == "\n")
    return {"length": len(whole), "sha256": hashlib.sha256(whole).hexdigest(), "words": words(plain(marked)),
            "paragraphs": table}


def jcs(value):
    """RFC 8785, as far as strings and integers need it: Python escapes the same characters in the same way."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def check(statement, marked):
    """Raises if the statement breaks a rule of section 2, or isn't about this text."""
    author, counts = statement["author"], statement.get("written_here", dict.fromkeys(COUNTS, 0))
    need(statement.keys() - {"expires", "written_here"} == MEMBERS, "members of the statement")
    need(author.keys() - {"identity"} == {"name"}, "members of the author")
    for name, value in {**statement, **author}.items():
        need(name not in FORMS or re.fullmatch(FORMS[name], value, re.DOTALL), name)
    for said in (author["name"], statement["assistance"]):
        need(not DROP.search(said) and not HIDDEN.search(said) and not hazard(said), "invisible code points")
        need(said.strip() and all(plain(canonical(said)).count(c) == said.count(c) for c in "\u200c\u200d"), "joiners")
    need(counts.keys() == COUNTS and all(type(n) is int and 0 <= n < 2**53 for n in counts.values()), "written_here")
    need(counts["pasted_percent"] <= 100, "more than all is pasted")
    ends = datetime.datetime.fromisoformat(statement.get("expires", "9999-12-31T23:59:59Z"))
    need(datetime.datetime.fromisoformat(statement["date"]) < ends, "expires before it is signed")
    need(marked and not hazard(plain(marked)), "no text, or a hazard in it")
    # As JSON, for to Python 1, 1.0 and True are equal.
    need(jcs(statement["text"]) == jcs(describe(marked)), "another text")
    need(len(statement["text"]["paragraphs"]) <= 10_000, "too many paragraphs")
