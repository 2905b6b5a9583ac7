"""What stands before every route: who may ask, how much and how often, and what a browser may do with the response."""

import asyncio
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bycase.apps.serve.limits import MEGABYTE, Limits, Rate, RefusedError, report_defect

SOCKET = "/_nicegui_ws/"  # the page's own connection, whose polls are no requests of a person
LOOPBACK = ("localhost", "127.0.0.1", "::1")
# NiceGUI compiles templates in the browser and starts from an inline script, hence the two `unsafe`.
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """ASGI middleware that refuses foreign hosts and origins, large or slow bodies, and too many requests.

    A body is received whole, in memory, before the application sees the request.

    Parameters
    ----------
    app : ASGIApp
        What is guarded.
    limits : Limits
        How much is accepted.
    rate : Rate
        Counts requests; also used for those that come over the page's own connection.
    hosts : iterable of str, optional
        Names under which a browser may address the server, so that a foreign page whose name is made to lead here
        cannot; any name where left out.
    """

    def __init__(self, app: ASGIApp, limits: Limits, rate: Rate, hosts: Iterable[str] | None = LOOPBACK) -> None:
        self._app, self._limits, self._rate = app, limits, rate
        self._hosts = None if hosts is None else frozenset(hosts)
        self._at_once = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer that it is refused."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            self._check_host(headers)
            if scope["type"] != "http":
                await self._app(scope, receive, send)
            elif scope["method"] in ("GET", "HEAD", "OPTIONS") or scope["path"].startswith(SOCKET):
                await self._app(scope, receive, _with_headers(send))
            else:
                self._rate.take(scope["client"][0] if scope.get("client") else "")
                await self._receive_whole(scope, headers, receive, _with_headers(send))
        except RefusedError as refused:
            if scope["type"] == "http":
                # What is left of the body is not read, so the connection cannot serve another request.
                close = {"Connection": "close"} | ({"Retry-After": "60"} if refused.status == 429 else {})
                await JSONResponse(refused.body, refused.status, close)(scope, receive, _with_headers(send))
            else:
                await send({"type": "websocket.close", "code": 1008})

    def _check_host(self, headers: Headers) -> None:
        host = headers.get("host", "")
        if self._hosts is not None and _hostname(f"//{host}") not in self._hosts:
            raise RefusedError(421, "unknown_host", "this server is addressed by localhost or 127.0.0.1 only")
        origin = headers.get("origin")
        if origin is not None and origin.split("://")[-1] != host:
            raise RefusedError(403, "foreign_origin", "another page's request; open this server's own page")

    async def _receive_whole(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        if self._at_once >= self._limits.at_once:
            raise RefusedError(503, "busy", "too many requests at once; try again in a few seconds")
        self._at_once += 1
        try:
            body = await self._read_body(headers, receive)
            await self._respond(scope, _replay(body, receive), send)
        finally:
            self._at_once -= 1

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application respond, and say so where it cannot."""
        started = False

        async def note(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception as error:
            if started:
                raise
            raise report_defect(error) from None

    async def _read_body(self, headers: Headers, receive: Receive) -> bytes:
        """The whole body, refused as soon as it is known to be too large."""
        most = self._limits.request_bytes
        too_large = RefusedError(
            413, "too_large", f"more than {most / MEGABYTE:g} MB in one request; send fewer images"
        )
        declared = headers.get("content-length", "0")
        if declared.isdigit() and int(declared) > most:
            raise too_large
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise RefusedError(400, "incomplete", "the connection ended before the request did; try again")
                    body += message.get("body", b"")
                    if len(body) > most:
                        raise too_large
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            raise RefusedError(
                408, "too_slow", f"not received within {self._limits.seconds:g} seconds; try again"
            ) from None


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body once, then what the connection gives."""
    first = True

    async def give() -> Message:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return give


def _with_headers(send: Send) -> Send:
    async def add(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            # NiceGUI's own files carry their version in their address and may be kept; responses may not.
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return add
