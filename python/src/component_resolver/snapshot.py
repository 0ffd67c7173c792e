"""The results for several references at one point in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .component import Assignment, Unavailable
from .errors import Problem, problem_of


@dataclass(frozen=True)
class ScriptVersion:
    """The version of the Worker that answered."""

    id: str
    tag: str
    timestamp: str


@dataclass(frozen=True)
class Resolved:
    """The result of `POST /resolve` for one reference of a snapshot: a version, or an `error`."""

    ref: str
    exact: str | None = None
    url: str | None = None
    component: str | None = None
    version: str | None = None
    digest: str | None = None
    size: int | None = None
    type: str | None = None
    commit: str | None = None
    date: str | None = None
    slot: str | None = None
    assignment: Assignment | None = None
    stale: int | None = None
    content: str | None = None
    """The content, if it is text."""
    content_base64: str | None = None
    """The content in base64, if it is not text."""
    error: Problem | None = None


@dataclass(frozen=True)
class Snapshot:
    """The results for several references at one point in time."""

    script_version: ScriptVersion
    resolved: tuple[Resolved, ...]
    """One result per reference, in the same order."""
    unavailable: Unavailable | None = None
    """Set only if the resolver is unavailable."""


_SAME_NAME = frozenset(Resolved.__dataclass_fields__) - {"ref", "content_base64", "error"}


def snapshot_of(value: object) -> Snapshot:
    """Read a snapshot from decoded JSON. Members that this release does not know are ignored.

    Raises `ValueError` if the value is not a snapshot.
    """
    if not isinstance(value, dict) or not isinstance(value.get("resolved"), list):
        raise ValueError("expected an object with the list `resolved`")
    version = value.get("scriptVersion")
    texts = version if isinstance(version, dict) else {}
    script_version = ScriptVersion(*(str(texts.get(name, "")) for name in ("id", "tag", "timestamp")))
    return Snapshot(script_version, tuple(_resolved_of(one) for one in value["resolved"]))


def _resolved_of(value: Any) -> Resolved:
    if not isinstance(value, dict) or not isinstance(value.get("ref"), str):
        raise ValueError("expected an object with the text `ref` in `resolved`")
    return Resolved(
        ref=value["ref"],
        content_base64=value.get("contentBase64"),
        error=problem_of(value.get("error")),
        **{name: member for name, member in value.items() if name in _SAME_NAME},
    )
