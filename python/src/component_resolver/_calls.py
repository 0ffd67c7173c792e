"""Calls without I/O: a call is a generator that yields requests and pauses, and is sent the responses.

So the blocking client and the asynchronous one have one behaviour: each performs what a call yields.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import httpx

Value = TypeVar("Value")


@dataclass(frozen=True)
class Request:
    """A request to send, and to read the whole response of."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None


@dataclass(frozen=True)
class Response:
    """A response with its whole body."""

    status: int
    reason: str
    headers: httpx.Headers
    body: bytes


@dataclass(frozen=True)
class Pause:
    """A wait."""

    seconds: float


Call = Generator[Request | Pause, Response | None, Value]


class NoResponseError(Exception):
    """Thrown into a call if there is no whole response to a request."""


def send(request: Request) -> Call[Response]:
    """Send a request."""
    response = yield request
    assert response is not None, "a request gets a response"
    return response


def pause(seconds: float) -> Call[None]:
    """Wait."""
    yield Pause(seconds)
