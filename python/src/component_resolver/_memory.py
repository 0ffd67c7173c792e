"""The memory of a client: contents, which contents a reference has had, and the last answers."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from time import monotonic

from ._lru_cache import LruCache
from .component import Component
from .errors import ResolverError
from .snapshot import Snapshot

SMALL = 1_000
"""Approximate size of an answer without its content, in bytes."""

_OFFERED = 8
"""How many known digests of one reference `If-None-Match` lists. A split has few arms."""


@dataclass(frozen=True)
class Known:
    """A content that a reference has had."""

    digest: str
    type: str


@dataclass(frozen=True)
class Answer:
    """The last answer to a call, a refusal included."""

    value: Component | Snapshot | ResolverError
    """A component has no content here: contents are kept once for all answers."""
    references: tuple[str, ...]
    """The references that it used, as they were spelled and exact."""
    at: float
    """When it came, as seconds of a monotonic clock."""
    immutable: bool = False

    def seconds(self) -> int:
        """Return the age of the answer."""
        return int(monotonic() - self.at)


class Memory:
    """The memory that a client and those made from it share. All in it share one bound."""

    def __init__(self, bound: int) -> None:
        self._cache: LruCache[tuple[str, Hashable], bytes | tuple[Known, ...] | Answer] = LruCache(bound)

    def content(self, digest: str) -> bytes | None:
        """Return the content with a digest."""
        kept = self._cache.get(("content", digest))
        return kept if isinstance(kept, bytes) else None

    def known(self, reference: str) -> tuple[Known, ...]:
        """Return the contents of a reference that are in memory."""
        kept = self._cache.get(("known", reference))
        known = kept if isinstance(kept, tuple) else ()
        return tuple(one for one in known if self.content(one.digest) is not None)

    def keep_content(self, reference: str, known: Known, content: bytes) -> None:
        """Keep a content as the newest one of a reference."""
        others = tuple(one for one in self.known(reference) if one.digest != known.digest)
        self._cache.set(("content", known.digest), content, len(content))
        self._cache.set(("known", reference), (*others, known)[-_OFFERED:], SMALL)

    def answer(self, call: Hashable) -> Answer | None:
        """Return the last answer to a call."""
        kept = self._cache.get(("answer", call))
        return kept if isinstance(kept, Answer) else None

    def keep_answer(self, call: Hashable, answer: Answer, size: int = SMALL) -> None:
        """Keep the last answer to a call."""
        self._cache.set(("answer", call), answer, size)

    def forget(self, call: Hashable) -> None:
        """Forget the last answer to a call."""
        self._cache.delete_where(lambda key, _: key == ("answer", call))

    def withdraw(self, reference: str) -> None:
        """Forget every answer that used a reference, whoever the caller was: the resolver withdrew it."""
        spelled = {reference, re.sub(r"@(?=\d+\.\d+\.\d+)", "@v", reference, count=1)}
        self._cache.delete_where(lambda _, kept: isinstance(kept, Answer) and not spelled.isdisjoint(kept.references))
