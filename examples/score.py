#!/usr/bin/env python3
"""Scores a file: score.py FILE. Waits and tries again when the daemon has too much to do."""

import json
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.request

ADDRESS = "http://127.0.0.1:8017/v1/score"


def score(text, token):
    body = json.dumps({"text": text}).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    # No proxy: the daemon is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        try:
            with opener.open(urllib.request.Request(ADDRESS, body, headers), timeout=180) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            if error.code not in (429, 503):
                sys.exit(json.load(error)["error"]["message"])
            time.sleep(int(error.headers.get("Retry-After", 1)))


if __name__ == "__main__":
    token_file = subprocess.run(["bonafide", "token", "path"], capture_output=True, text=True, check=True).stdout
    token = pathlib.Path(token_file.strip()).read_text().strip()
    for block in score(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"), token)["blocks"]:
        print(block["id"], block["verdict"], block["probability"], sep="\t")
        for evidence in block["evidence"]:
            print("", evidence["message"], sep="\t")
