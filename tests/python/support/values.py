"""Behaviour that only the Python client has: types of values, secrets, slow responses, headers of a request."""

from __future__ import annotations

import asyncio
import pickle
import socket
import threading
import unittest
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

import httpx

from component_resolver import AsyncClient, Caller, Client, Problem, ResolverError
from component_resolver.caller import canonical_caller

URL = "https://components.example.com"


class Values(unittest.TestCase):
    """The values that a client takes."""

    def test_keys_that_are_other_texts_elsewhere_are_refused(self) -> None:
        keys: list[Any] = [True, 1.0, b"ada", ["ada"]]
        for key in keys:
            with self.subTest(key=key), self.assertRaisesRegex(TypeError, r"Caller\.key: expected a text, an int or"):
                Client(URL).get("prompts/a@production", caller=Caller(key=key))

    def test_a_uuid_is_its_text(self) -> None:
        key = UUID("12345678-1234-5678-1234-567812345678")
        self.assertEqual(canonical_caller(Caller(key=key)), canonical_caller(Caller(key=str(key))))

    def test_texts_that_http_cannot_carry_are_refused(self) -> None:
        for caller in (
            Caller(key="\ud800"),
            Caller(segments=["\udfff"]),
            Caller(override="v1.1.0\r\nX: y"),
            Caller(script_override="größe"),
        ):
            with self.subTest(caller=caller), self.assertRaises(ValueError):
                canonical_caller(caller)

    def test_one_text_is_not_a_list_of_texts(self) -> None:
        with self.assertRaisesRegex(TypeError, "expected a list of texts"):
            canonical_caller(Caller(segments="staff"))
        with self.assertRaisesRegex(TypeError, "expected a list of references"):
            Client(URL).resolve("prompts/a@production")

    def test_addresses_that_are_not_of_a_resolver_are_refused(self) -> None:
        for url in (
            "",
            "components.example.com",
            "ftp://components.example.com",
            "https://",
            "http://[::1",
            f"{URL}\n",
        ):
            with self.subTest(url=url), self.assertRaisesRegex(ValueError, "the URL of"):
                Client(url)


class Secrets(unittest.TestCase):
    """The token of a client."""

    def test_a_token_is_in_no_text_of_the_client(self) -> None:
        client = Client(URL, token="secret-token")
        self.assertNotIn("secret-token", repr(client) + repr(vars(client)))

    def test_a_token_that_a_header_cannot_carry_is_refused_and_not_quoted(self) -> None:
        for token in ("secret token", "secret-größe", "secret\r\nX: y"):
            with self.subTest(token=token), self.assertRaises(ValueError) as raised:
                Client(URL, token=token)
            self.assertNotIn("secret", str(raised.exception))


class Responses(unittest.TestCase):
    """Responses that no other client is tested with."""

    def test_a_response_that_trickles_ends_with_the_timeout(self) -> None:
        message = "no whole response within 2 seconds"
        with trickling() as url:
            with self.assertRaisesRegex(ResolverError, message), Client(url, attempts=1, timeout=2) as client:
                client.get("prompts/a@production")
            with self.assertRaisesRegex(ResolverError, message):
                asyncio.run(self.read_slowly(url))

    async def read_slowly(self, url: str) -> None:
        """Read a component that never arrives as a whole."""
        async with AsyncClient(url, attempts=1, timeout=2) as client:
            await client.get("prompts/a@production")

    def test_a_cancelled_call_ends_at_once(self) -> None:
        async def cancel(url: str) -> None:
            async with AsyncClient(url, attempts=1, timeout=60) as client:
                call = asyncio.create_task(client.get("prompts/a@production"))
                await asyncio.sleep(0.1)
                call.cancel()
                await call

        with trickling() as url, self.assertRaises(asyncio.CancelledError):
            asyncio.run(asyncio.wait_for(cancel(url), 30))

    def test_the_headers_of_httpx_are_those_of_a_request(self) -> None:
        sent: list[str | None] = []

        def answer(request: httpx.Request) -> httpx.Response:
            sent.append(request.headers.get("Cloudflare-Workers-Version-Key"))
            return httpx.Response(404)

        client = Client(URL, transport=httpx.MockTransport(answer))
        for headers in (httpx.Headers({"component-version-key": "ada"}), {"Component-Version-Key": "ada"}):
            with self.assertRaises(ResolverError):
                client.for_request(headers).get("prompts/a@production")
        self.assertEqual(sent, ["ada", "ada"])

    def test_an_error_survives_another_process(self) -> None:
        problem = Problem("about:blank", "t", 404, "d", "/x", "SLOT_UNKNOWN", None, None)
        error = pickle.loads(pickle.dumps(ResolverError("gone", status=404, problem=problem, retry_after=2.0)))
        self.assertEqual((str(error), error.status, error.code, error.retry_after), ("gone", 404, "SLOT_UNKNOWN", 2.0))


@contextmanager
def trickling() -> Iterator[str]:
    """Serve responses whose body arrives one byte at a time."""
    stopped = threading.Event()

    def trickle(connection: socket.socket) -> None:
        with connection:
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            try:
                while not stopped.wait(0.02):
                    connection.sendall(b"x")
            except OSError:
                return

    def serve(server: socket.socket) -> None:
        while not stopped.is_set():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=trickle, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            stopped.set()
            # Some systems refuse it for a socket that only listens.
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
