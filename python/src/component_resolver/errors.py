"""The errors of the client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses of temporary failures: another request may succeed."""

GONE = 410
"""The status of a revoked version."""


@dataclass(frozen=True)
class Problem:
    """A problem as defined in RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    nearest: str | None
    """The existing name that is nearest to the unknown one."""
    existing: Mapping[str, list[str]] | None
    """The `versions` and `slots` that exist."""


def problem_of(value: object) -> Problem | None:
    """Read a problem from decoded JSON; None if the value is another one, for example that of a proxy."""
    if not isinstance(value, dict):
        return None
    texts = {name: text for name, text in value.items() if isinstance(text, str)}
    status, existing = value.get("status"), value.get("existing")
    return Problem(
        type=texts.get("type", ""),
        title=texts.get("title", ""),
        status=status if isinstance(status, int) else 0,
        detail=texts.get("detail", ""),
        instance=texts.get("instance", ""),
        code=texts.get("code", ""),
        nearest=texts.get("nearest"),
        existing=existing if isinstance(existing, dict) else None,
    )


class ResolverError(Exception):
    """Raised if the resolver refuses a request, or if it is unavailable and there is no last good answer."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        problem: Problem | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        """The HTTP status, or 0 if there was no response."""
        self.problem = problem
        self.code = problem.code if problem else ""
        """The stable error code, for example `SLOT_UNKNOWN`; empty if there was no response."""
        self.retry_after = retry_after
        """The value of `Retry-After` in seconds."""


def is_transient(error: ResolverError) -> bool:
    """Tell if an error is temporary, so that a retry is useful."""
    return error.status == 0 or error.status in TRANSIENT


def repeated(refusal: ResolverError) -> ResolverError:
    """Return an earlier refusal as an error of its own, with its own traceback."""
    return ResolverError(str(refusal), status=refusal.status, problem=refusal.problem)
