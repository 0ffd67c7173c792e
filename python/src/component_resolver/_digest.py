"""The digest of a content, as a response names it."""

import base64
import hashlib
import re

import httpx

_REPR_DIGEST = re.compile(r"(?:^|,)\s*sha-256\s*=\s*:([A-Za-z0-9+/]{43}=):")
_ETAG = re.compile(r'"([0-9a-f]{64})(?![0-9a-f])')


def digest_of(headers: httpx.Headers) -> str:
    """Return the SHA-256 digest that a response names, in hex; empty if it names none.

    `ETag` serves if a proxy removes `Repr-Digest` (RFC 9530), and the reverse. Proxies weaken an
    ETag (`W/"…"`) or add a suffix to it (`"…-gzip"`); the digest in it stays the same.
    """
    if named := _REPR_DIGEST.search(headers.get("Repr-Digest", "")):
        return base64.b64decode(named[1]).hex()
    tag = _ETAG.search(headers.get("ETag", ""))
    return tag[1] if tag else ""


def matches(content: bytes, digest: str) -> bool:
    """Tell if a content has this digest."""
    return hashlib.sha256(content).hexdigest() == digest
