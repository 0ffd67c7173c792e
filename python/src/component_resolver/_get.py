"""The call `get`: one component."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass, replace
from time import monotonic
from typing import cast
from urllib.parse import quote, unquote

import httpx

from ._calls import Call, Response
from ._connection import Connection
from ._digest import digest_of, matches
from ._memory import Answer, Known
from .caller import CanonicalCaller
from .component import Assignment, Component, Unavailable
from .errors import GONE, ResolverError, is_transient, repeated

# What `encodeURIComponent` leaves as it is, besides letters and digits.
_UNRESERVED = "-_.!~*'()"


@dataclass(frozen=True)
class _Wanted:
    """The parameters of one call."""

    reference: str
    caller: CanonicalCaller

    @property
    def call(self) -> Hashable:
        """The key of the call in the memory."""
        return ("get", self.reference, self.caller)


def get(connection: Connection, reference: str, caller: CanonicalCaller) -> Call[Component]:
    """Read one component; the last answer if the resolver cannot be reached."""
    wanted = _Wanted(reference, caller)
    last = _remembered(connection, wanted.call)
    if last and last.immutable and isinstance(last.value, Component):
        return last.value
    try:
        return (yield from connection.retry(lambda: _fetch(connection, wanted), fallback=last is not None))
    except ResolverError as error:
        _note_refusal(connection, wanted, error)
        return _last_answer(connection, wanted, error)


def _last_answer(connection: Connection, wanted: _Wanted, error: ResolverError) -> Component:
    # Another call may have withdrawn it meanwhile.
    last = _remembered(connection, wanted.call)
    if not last or not is_transient(error):
        raise error
    if isinstance(last.value, ResolverError):
        raise repeated(last.value) from error
    return replace(cast(Component, last.value), unavailable=Unavailable(last.seconds(), error))


def _note_refusal(connection: Connection, wanted: _Wanted, error: ResolverError) -> None:
    """Note that the resolver refused a reference: no older answer to it is given again.

    A revoked version stays revoked while the resolver is unavailable.
    """
    if is_transient(error):
        return
    connection.memory.withdraw(wanted.reference)
    if error.status == GONE:
        answer = Answer(repeated(error), (wanted.reference,), monotonic())
        connection.memory.keep_answer(wanted.call, answer)


def _remembered(connection: Connection, call: Hashable) -> Answer | None:
    """Return the last answer to a call: a component whose content is still in memory, or a refusal."""
    last = connection.memory.answer(call)
    if not last or not isinstance(last.value, Component):
        return last
    content = connection.memory.content(last.value.digest)
    return None if content is None else replace(last, value=replace(last.value, content=content))


def _fetch(connection: Connection, wanted: _Wanted) -> Call[Component]:
    """Fetch a component, and offer the contents of it that are in memory."""
    known = connection.memory.known(wanted.reference)
    response, digest = yield from _request(connection, wanted, known)
    content = _content(connection, response, wanted.reference, digest)
    # Resolvers before 0.2 send no Content-Type with a 304.
    types = [one.type for one in known if one.digest == digest]
    media_type = response.headers.get("Content-Type") or next(iter(types), "")
    component = _described(response, wanted.reference, Known(digest, media_type))
    connection.memory.keep_content(wanted.reference, Known(digest, media_type), content)
    immutable = re.search(r"\bimmutable\b", response.headers.get("Cache-Control", "")) is not None
    references = (wanted.reference, reference_of(component.url))
    connection.memory.keep_answer(wanted.call, Answer(component, references, monotonic(), immutable))
    confirmed = response.status == httpx.codes.NOT_MODIFIED
    return replace(component, content=content, source="memory" if confirmed else "resolver")


def _request(connection: Connection, wanted: _Wanted, known: tuple[Known, ...]) -> Call[tuple[Response, str]]:
    """Request a component, and offer these contents of it for revalidation. Returns the digest too."""
    headers = {"If-None-Match": ", ".join(f'"{one.digest}"' for one in known)} if known else {}
    path, reference = path_of(wanted.reference), wanted.reference
    response = yield from connection.ask("GET", path, wanted.caller, what=reference, headers=headers)
    digest = digest_of(response.headers)
    if response.status != httpx.codes.NOT_MODIFIED or digest:
        return response, digest
    # A proxy removed the ETag. With one offer, that is the one which is confirmed.
    if len(known) > 1:
        return (yield from _request(connection, wanted, ()))
    return response, known[0].digest if known else ""


def _content(connection: Connection, response: Response, reference: str, digest: str) -> bytes:
    """Return the content of a response: the bytes that came with it, or those that a 304 confirms."""
    if response.status == httpx.codes.NOT_MODIFIED:
        content = connection.memory.content(digest)
        if content is None:
            raise ResolverError(f"{reference}: 304 for a content that was not offered: {digest}")
        return content
    if not digest:
        raise ResolverError(f"{reference}: the response names no digest: a proxy removed ETag and Repr-Digest")
    if not matches(response.body, digest):
        raise ResolverError(f"{reference}: the content does not match its digest")
    return response.body


def _described(response: Response, reference: str, known: Known) -> Component:
    """Read the metadata of a component from the headers of a response."""
    headers = response.headers
    stale = headers.get("Component-Stale", "")
    return Component(
        reference=reference,
        url=headers.get("Content-Location", ""),
        version=headers.get("Component-Version", ""),
        commit=headers.get("Component-Commit", ""),
        digest=known.digest,
        type=known.type,
        content=b"",
        source="memory",
        slot=headers.get("Component-Slot") or None,
        assignment=cast("Assignment | None", headers.get("Component-Assignment") or None),
        stale=int(stale) if stale.isdecimal() else None,
    )


def path_of(reference: str) -> str:
    """Return the path of a reference such as `prompts/a@>=1 <2`."""
    name, at, ref = reference.rpartition("@")
    if not at:
        name, ref = reference, ""
    encoded = "/".join(quote(part, safe=_UNRESERVED) for part in name.split("/"))
    return f"/components/{encoded}{at}{quote(ref, safe=_UNRESERVED)}"


def reference_of(url: str) -> str:
    """Return the reference in a canonical URL: `/components/prompts/a@v1.0.0` → `prompts/a@v1.0.0`."""
    return unquote(url.removeprefix("/components/"))
