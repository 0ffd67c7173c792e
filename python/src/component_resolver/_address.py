"""The address of a resolver, and which address may receive a token."""

from __future__ import annotations

import re

import httpx

# Other names below `localhost` are looked up in DNS.
_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")

_TOKEN = re.compile(r"[\x21-\x7e]+")


def is_loopback(url: httpx.URL) -> bool:
    """Tell if a URL leads to this machine."""
    return _LOOPBACK.fullmatch(url.host) is not None


def base_url(url: str, token: str | None) -> httpx.URL:
    """Return the URL of a resolver without a slash at its end.

    Raises `ValueError` for a URL with a user, a query or a fragment, and for one that a token is not sent to.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError(f"the URL of the resolver cannot be read: {error}") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError("the URL of a resolver begins with https:// (or http://) and a host")
    if parsed.query or parsed.fragment or parsed.userinfo:
        raise ValueError("the URL of a resolver has no user, query or fragment; pass a token as `token`")
    if token and not _TOKEN.fullmatch(token):
        raise ValueError("the token has a character that a header cannot carry")
    if token and parsed.scheme == "http" and not is_loopback(parsed):
        raise ValueError(f"a token is not sent over http to {parsed.host}; use https")
    return parsed.copy_with(path=parsed.path.rstrip("/"), query=None, fragment=None)
