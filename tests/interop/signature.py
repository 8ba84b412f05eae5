"""How it is signed: sections 3 and 4 of core/src/signature/SPEC.md, written from that page alone."""

import base64
import hashlib
import re

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from statement import jcs, need

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
# The y of half of the points of order 8; that of the others is -y.
EIGHTH = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
NAMESPACE = b"generated-by-human"
HARDWARE = b"sk-ssh-ed25519@openssh.com"
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
CONTEXT = ["https://www.w3.org/ns/credentials/v2", {
    "HumanStatementCredential": "urn:generated-by-human:1#HumanStatementCredential",
    "statement": {"@id": "urn:generated-by-human:1#statement", "@type": "@json"},
}]


def sha256(data):
    return hashlib.sha256(data).digest()


def ed25519(key, signature, data):
    """The library's check has no cofactor; what it lets pass beyond the specification is refused here."""
    need(len(key) == 32 and len(signature) == 64, "length of key or signature")
    for point in key, signature[:32]:
        # Where x is 0 the order is 1 or 2, so that no sign bit can make a canonical y a second encoding.
        y = int.from_bytes(point, "little") % 2**255
        need(y < P and y not in (0, 1, P - 1, EIGHTH, P - EIGHTH), "a point not canonical or of small order")
    need(int.from_bytes(signature[32:], "little") < L, "S not below the group order")
    Ed25519PublicKey.from_public_bytes(key).verify(signature, data)


def ssh(statement, key, signature, digest="sha512", application=None, touch=b""):
    """Checks a signature of SSHSIG; `application` and `touch` (flags and counter) are those of a hardware key."""
    parts = NAMESPACE, b"", digest.encode(), hashlib.new(digest, jcs(statement)).digest()
    data = b"SSHSIG" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    if application is not None:
        need(touch[0] & 1, "nobody touched the key")
        data = sha256(application) + touch + sha256(data)
    ed25519(key, signature, data)


def strings(data, count):
    """Splits data into so many SSH strings and nothing more."""
    for _ in range(count):
        end = 4 + int.from_bytes(data[:4], "big")
        need(4 <= len(data) >= end, "cut off")
        yield data[4:end]
        data = data[end:]
    need(not data, "bytes too many")


def envelope(statement, signature):
    lines = "-----BEGIN SSH SIGNATURE-----\n([0-9A-Za-z+/=\n]+)\n-----END SSH SIGNATURE-----\n?"
    armour = re.fullmatch(lines, signature)
    need(armour, "no armour")
    blob = base64.b64decode(armour[1])
    need(blob[:10] == b"SSHSIG\0\0\0\1", "no SSHSIG of version 1")
    # PROTOCOL.sshsig tells verifiers to ignore the reserved string.
    key, namespace, _, digest, signed = strings(blob[10:], 5)
    need(namespace == NAMESPACE and digest in (b"sha256", b"sha512"), "namespace or hash")
    touch = signed[-5:] if HARDWARE in key else b""
    kind, key, *application = strings(key, 3 if touch else 2)
    same, signed = strings(signed[:len(signed) - len(touch)], 2)
    need(kind == same == (HARDWARE if touch else b"ssh-ed25519"), "kind of key")
    ssh(statement, key, signed, digest.decode(), *application, touch=touch)
    return statement


def base58(text):
    number = 0
    for c in text:
        number = number * 58 + ALPHABET.index(c)
    return bytes(len(text) - len(text.lstrip("1"))) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def credential(proof, **document):
    """Checks eddsa-jcs-2022; the key of a did:web is not in the credential, so only a did:key will do."""
    statement = document["credentialSubject"]["statement"]
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    did, _, key = proof["verificationMethod"].partition("#")
    need(did == "did:key:" + key and key[0] == proof["proofValue"][0] == "z", "no did:key")
    form = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod",
            "created": proof["created"], "verificationMethod": proof["verificationMethod"]}
    # The cryptosuite's own signers add the context to the proof.
    need(options in (form, {**form, "@context": CONTEXT}), "form of the proof")
    form = {"@context": CONTEXT, "type": ["VerifiableCredential", "HumanStatementCredential"], "issuer": did,
            "validFrom": statement["date"], "credentialSubject": {"statement": statement}}
    if "expires" in statement:
        form["validUntil"] = statement["expires"]
    need(document == form, "form of the credential")
    raw = base58(key[1:])
    need(raw[:2] == b"\xed\1", "another kind of key")
    ed25519(raw[2:], base58(proof["proofValue"][1:]), sha256(jcs(options)) + sha256(jcs(document)))
    return statement
