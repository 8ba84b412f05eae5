#!/usr/bin/env python3
"""Verifies with the package sshsig: `sshsig_peer.py KEY_LINE NAMESPACE SIGNATURE_FILE < message`.

It knows ssh-ed25519 and ssh-rsa, not the hardware keys. The hash may be any; the key must be the one given.
"""

import pathlib
import sys

import sshsig

key, namespace, signature = sys.argv[1:]
try:
    sshsig.verify(
        sys.stdin.buffer.read(),
        pathlib.Path(signature).read_bytes(),
        [sshsig.PublicKey.from_openssh_str(key)],
        namespace,
    )
except (sshsig.InvalidSignature, NotImplementedError, ValueError) as error:
    sys.exit(f"{type(error).__name__}: {error}")
