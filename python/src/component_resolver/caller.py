"""The caller for whom a component is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

_ASCII = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True)
class Caller:
    """The properties of a caller on which the choice in a split slot depends."""

    key: str | int | UUID | None = None
    """Identifies the caller: the same key gets the same version. White space around it does not count."""
    segments: Sequence[str] | None = None
    """The segments of the caller. The first one that the slot routes separately counts."""
    override: str | None = None
    """A version of the slot that the caller requests: `v1.1.0`. Ignored if the slot does not have it."""
    script_override: str | None = None
    """The value of `Cloudflare-Workers-Version-Overrides`: which version of the Worker itself answers."""


class HasHeaders(Protocol):
    """The headers of a request: those of Django, Flask, Starlette and httpx, or a dict."""

    def get(self, name: str, /) -> str | None:
        """Return the value of a header, or None."""


@dataclass(frozen=True)
class CanonicalCaller:
    """A caller as all requests send it: texts without white space around them; what is empty is absent."""

    key: str = ""
    segments: tuple[str, ...] = ()
    override: str = ""
    script_override: str = ""


def is_ascii(text: str) -> bool:
    """Tell if a text can be the value of a header: printable ASCII."""
    return _ASCII.fullmatch(text) is not None


def canonical_caller(caller: Caller) -> CanonicalCaller:
    """Return a caller in one form, so that `get` and `resolve` assign it to the same version.

    Raises `TypeError` for a value that is neither text nor a number, and `ValueError` for a
    text that HTTP cannot carry.
    """
    if isinstance(caller.segments, str):
        raise TypeError("Caller.segments: expected a list of texts, not one text")
    segments = (_text("segments", segment) for segment in caller.segments or ())
    return CanonicalCaller(
        key=_text("key", caller.key),
        segments=tuple(segment for segment in segments if segment),
        override=_header_text("override", caller.override),
        script_override=_header_text("script_override", caller.script_override),
    )


def caller_of_request(own: Caller, headers: HasHeaders, *, overrides: bool) -> Caller:
    """Return the caller that sent a request with these headers; it chooses versions only with `overrides`."""
    key = _first(headers, "Component-Version-Key", "Cloudflare-Workers-Version-Key")
    caller = own if key is None else replace(own, key=key)
    if not overrides:
        return caller
    override = _first(headers, "Component-Version-Override")
    script_override = _first(headers, "Cloudflare-Workers-Version-Overrides")
    return replace(
        caller,
        override=own.override if override is None else override,
        script_override=own.script_override if script_override is None else script_override,
    )


def _first(headers: HasHeaders, *names: str) -> str | None:
    """Return the first header that is present. A dict has its names in lower case, as ASGI and AWS do."""
    for name in names:
        for spelled in (name, name.lower()):
            if (value := headers.get(spelled)) is not None:
                return value
    return None


def _text(name: str, value: object) -> str:
    # `True` and `1.0` are other texts in other languages, so their callers would change arms.
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, UUID)):
        raise TypeError(f"Caller.{name}: expected a text, an int or a UUID, not {type(value).__name__}")
    text = str(value).strip(" \t")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError(f"Caller.{name}: the text has a lone surrogate, which has no UTF-8 form")
    return text


def _header_text(name: str, value: object) -> str:
    text = _text(name, value)
    if not is_ascii(text):
        raise ValueError(f"Caller.{name}: expected printable ASCII, because it is sent in a header")
    return text
