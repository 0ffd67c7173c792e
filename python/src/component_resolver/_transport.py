"""Options and errors of httpx, for both clients."""

from __future__ import annotations

from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from ._address import is_loopback

FAILURES = (httpx.RequestError, httpx.InvalidURL)
"""The errors of a request without a whole response."""


def said(error: Exception) -> str:
    """Return the message of an error, or its name."""
    return str(error) or type(error).__name__


def late(timeout: float) -> str:
    """Return the message for a response that has not arrived in time."""
    return f"no whole response within {timeout:g} seconds"


def transport_options(base: httpx.URL, token: str | None, timeout: float) -> dict[str, Any]:
    """Return the options of `httpx.Client` and `httpx.AsyncClient`."""
    return {
        "timeout": timeout,
        # A redirect must not carry the token to another host.
        "follow_redirects": not token,
        # A proxy of the environment would read a token that is sent to this machine.
        "trust_env": not (base.scheme == "http" and is_loopback(base)),
        # A cookie of one caller must not be sent for another.
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    }
