"""The content of a component and its metadata."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from .errors import ResolverError

Assignment = Literal["override", "segment", "key", "random", "sole"]
"""How the version of a slot was chosen."""


@dataclass(frozen=True)
class Unavailable:
    """Present if the resolver is unavailable and the client returns the last good answer."""

    seconds: int
    """Seconds since that answer."""
    error: ResolverError
    """The reason why there is no newer answer."""


@dataclass(frozen=True)
class Component:
    """The content of a component and its metadata."""

    reference: str
    """The requested reference."""
    url: str
    """The canonical path of the component: `/components/prompts/extraction@v1.1.0`."""
    version: str
    commit: str
    digest: str
    """The SHA-256 digest of the content, in hex."""
    type: str
    """The media type."""
    content: bytes
    source: Literal["resolver", "memory"]
    """`resolver` if the content came with this response; `memory` if a 304 confirmed it or it never changes."""
    slot: str | None = None
    """The slot that the version belongs to, if the reference is a slot."""
    assignment: Assignment | None = None
    stale: int | None = None
    """Age in seconds of the resolver's last good record, if Workers KV is unavailable."""
    unavailable: Unavailable | None = None
    """Set only if the resolver is unavailable."""

    def text(self) -> str:
        """Return the content as text, without a byte order mark. Bytes that are not UTF-8 become U+FFFD."""
        return self.content.decode("utf-8-sig", errors="replace")

    def json(self) -> Any:
        """Return the content as JSON; raises `json.JSONDecodeError` if it is something else."""
        return json.loads(self.text())
