"""Requests to a resolver: the headers of a caller, errors and retries."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from time import monotonic
from typing import NoReturn
from urllib.parse import urlencode

import httpx

from ._calls import Call, NoResponseError, Request, Response, Value, pause, send
from ._memory import Memory
from .caller import CanonicalCaller, is_ascii
from .errors import ResolverError, is_transient, problem_of

_MOVED = "the resolver redirects; create the client with its final URL, the token is not sent to another one"

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class Settings:
    """The options of a client."""

    base: str
    """The URL of the resolver without a slash at its end."""
    token: str | None = field(repr=False)
    attempts: int
    backoff: float
    max_delay: float
    patience: float


@dataclass(frozen=True)
class Connection:
    """A resolver and what is remembered of it."""

    settings: Settings
    memory: Memory

    def ask(
        self,
        method: str,
        path: str,
        caller: CanonicalCaller,
        *,
        what: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> Call[Response]:
        """Send one request. Raises `ResolverError` for every status except 2xx and 304."""
        own, query = _identify(caller)
        own.update(headers)
        if self.settings.token:
            own["Authorization"] = f"Bearer {self.settings.token}"
        url = f"{self.settings.base}{path}{'?' if query else ''}{urlencode(query)}"
        try:
            response = yield from send(Request(method, url, own, body))
        except NoResponseError as error:
            raise ResolverError(f"{what}: {error}") from error
        if response.status // 100 == 2 or response.status == httpx.codes.NOT_MODIFIED:
            return response
        _refuse(response, what)

    def retry(self, request: Callable[[], Call[Value]], *, fallback: bool) -> Call[Value]:
        """Repeat a request until it succeeds, fails permanently, or the attempts or the patience are used up.

        With a `fallback`, no wait is longer than `max_delay`, not even one that `Retry-After` asks for.
        """
        settings = self.settings
        end = monotonic() + settings.patience
        attempt = 0
        while True:
            attempt += 1
            try:
                return (yield from request())
            except ResolverError as error:
                delay = self._delay(attempt, error)
                left = end - monotonic()
                longest = min(settings.max_delay, left) if fallback else left
                if not is_transient(error) or attempt >= settings.attempts or delay > longest:
                    raise
            yield from pause(delay)

    def _delay(self, attempt: int, error: ResolverError) -> float:
        """Return the wait after a failed attempt, in seconds."""
        jittered = self.settings.backoff * 2.0 ** (attempt - 1) * (0.5 + random.random() / 2)
        return max(min(jittered, self.settings.max_delay), error.retry_after or 0)


def _identify(caller: CanonicalCaller) -> tuple[dict[str, str], dict[str, str]]:
    """Return a caller as headers, and as query parameters for values that are not ASCII."""
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    for header, parameter, value in (
        ("Cloudflare-Workers-Version-Key", "key", caller.key),
        ("Component-Segment", "segment", ", ".join(caller.segments)),
    ):
        if value and is_ascii(value):
            headers[header] = value
        elif value:
            query[parameter] = value
    if caller.override:
        headers["Component-Version-Override"] = caller.override
    if caller.script_override:
        headers["Cloudflare-Workers-Version-Overrides"] = caller.script_override
    return headers, query


def _refuse(response: Response, what: str) -> NoReturn:
    try:
        problem = problem_of(json.loads(response.body))
    except ValueError:
        # The response is from a proxy, not from the resolver.
        problem = None
    why = problem.detail if problem and problem.detail else response.reason
    if response.status in _REDIRECTS:
        why = _MOVED
    raise ResolverError(
        f"{what}: {response.status} {why}".strip(),
        status=response.status,
        problem=problem,
        retry_after=_retry_after(response.headers),
    )


def _retry_after(headers: httpx.Headers) -> float | None:
    """Return `Retry-After` in seconds. The resolver sends no date in it."""
    field = headers.get("Retry-After", "").strip()
    seconds = float(field) if re.fullmatch(r"\d+(\.\d+)?", field, re.ASCII) else None
    return seconds if seconds is not None and isfinite(seconds) else None
