"""Plays cases of tests/vectors/client: reads a command as JSON from each line, and prints its outcome.

The argument is `sync` or `async`, the client that plays.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

from component_resolver import AsyncClient, Caller, Client, Component, ResolverError, Snapshot

MILLISECONDS = {"timeout": "timeout", "backoff": "backoff", "maxDelay": "max_delay", "patience": "patience"}

Outcome = dict[str, Any]


def caller_of(given: dict[str, Any]) -> Caller:
    """Read a caller with the names of the vectors."""
    script_override = given.pop("scriptOverride", None)
    return Caller(**given, script_override=script_override)


def options_of(given: dict[str, Any]) -> dict[str, Any]:
    """Read the options of a client, with times in seconds."""
    options = {MILLISECONDS.get(name, name): value for name, value in given.items()}
    for name in MILLISECONDS.values():
        if name in options:
            options[name] /= 1_000
    if "caller" in options:
        options["caller"] = caller_of(options["caller"])
    return options


def said(error: ResolverError) -> Outcome:
    """Return an error with the names of the vectors."""
    return {"message": str(error), "status": error.status, "code": error.code, "retryAfter": error.retry_after}


def members(value: object) -> Outcome:
    """Return the members of an answer with the names of the vectors."""
    outcome = dict(vars(value))
    unavailable = outcome.pop("unavailable", None)
    if unavailable:
        outcome["unavailable"] = {"seconds": unavailable.seconds, "error": said(unavailable.error)}
    return outcome


def component_of(component: Component) -> Outcome:
    """Return a component with the names of the vectors."""
    outcome = members(component)
    del outcome["content"]
    return {"component": {**outcome, "text": component.text()}}


def resolved_of(value: object) -> Outcome:
    """Return one result of a snapshot with the names of the vectors."""
    outcome = dict(vars(value))
    outcome["contentBase64"] = outcome.pop("content_base64")
    if outcome["error"]:
        outcome["error"] = vars(outcome["error"])
    return outcome


def snapshot_of(snapshot: Snapshot) -> Outcome:
    """Return a snapshot with the names of the vectors."""
    outcome = members(snapshot)
    outcome["scriptVersion"] = vars(outcome.pop("script_version"))
    outcome["resolved"] = [resolved_of(one) for one in snapshot.resolved]
    return {"snapshot": outcome}


class Player:
    """Plays the commands with one of the clients."""

    def __init__(self, kind: type[Client] | type[AsyncClient], wait: Callable[[Any], Any]) -> None:
        self.kind = kind
        self.wait = wait
        self.client: Any = None

    def play(self, command: dict[str, Any]) -> Outcome:
        """Play one command."""
        if "create" in command:
            return self.create(command["create"], options_of(command["options"]))
        try:
            return self.call(**command["call"])
        except ResolverError as error:
            return {"error": said(error)}

    def create(self, url: str, options: dict[str, Any]) -> Outcome:
        """Create the client that plays the next commands."""
        try:
            self.client = self.kind(url, **options)
        except ValueError as error:
            return {"refused": str(error)}
        return {}

    def call(
        self,
        get: str = "",
        resolve: list[str] | None = None,
        forRequest: dict[str, Any] | None = None,  # noqa: N803
        **options: Any,
    ) -> Outcome:
        """Call `get` or `resolve`."""
        client = self.client.for_request(**forRequest) if forRequest else self.client
        if "caller" in options:
            options["caller"] = caller_of(options["caller"])
        if get:
            return component_of(self.wait(client.get(get, **options)))
        return snapshot_of(self.wait(client.resolve(resolve, **options)))


def main() -> None:
    """Play the commands of stdin."""
    loop = asyncio.new_event_loop()
    kinds = {"sync": Client, "async": AsyncClient}
    waits = {"sync": lambda answer: answer, "async": loop.run_until_complete}
    player = Player(kinds[sys.argv[1]], waits[sys.argv[1]])
    for line in sys.stdin:
        print(json.dumps(player.play(json.loads(line))), flush=True)
    loop.close()


main()
