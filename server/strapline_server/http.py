"""Plain HTTP on the same port: the dashboard's files and ``/healthz``. GET and HEAD, no state.

Every file is read once at the start and found by its exact path, so no request ever reaches
the file system.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

SOCKET_PATH: Final = "/ws"
HEALTH_PATH: Final = "/healthz"

_TYPES: Final = MappingProxyType(
    {
        ".css": "text/css; charset=utf-8",
        ".html": "text/html; charset=utf-8",
        ".ico": "image/x-icon",
        ".js": "text/javascript; charset=utf-8",
        ".json": "application/json",
        ".map": "application/json",
        ".png": "image/png",
        ".svg": "image/svg+xml",
        ".txt": "text/plain; charset=utf-8",
        ".webmanifest": "application/manifest+json",
        ".woff2": "font/woff2",
    }
)
_SECURITY: Final = (
    (
        "Content-Security-Policy",
        (
            "default-src 'self'; connect-src 'self'; img-src 'self' data:; style-src 'self'; "
            "frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
        ),
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    (
        "Permissions-Policy",
        (
            "accelerometer=(), camera=(), geolocation=(), gyroscope=(), "
            "microphone=(), payment=(), usb=()"
        ),
    ),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_FOREVER: Final = "public, max-age=31536000, immutable"
_NOT_BUILT: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Strapline</title>
<h1>The dashboard is not built</h1>
<p>The server runs; its dashboard is missing from this checkout. Build it with
<code>./run --version</code>, or install a released strapline, which carries it.</p>
</html>
"""
#: What is answered.
METHODS: Final = frozenset({"GET", "HEAD"})
#: The registered methods' form; RFC 9110 section 9.1 allows more, and they are as unknown here.
_METHOD: Final = re.compile(rb"[A-Z]{1,16}")
#: A signed token's beginning, in whatever parameter.
_TOKEN: Final = re.compile(r"eyJ[\w-]{8,}\.")
_TOKEN_NAMES: Final = frozenset({"token", "access_token", "jwt", "auth", "authorization"})


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of the dashboard, ready to be sent."""

    body: bytes
    content_type: str
    etag: str
    cache_control: str


class Site:
    """The dashboard's files by their path on the server."""

    def __init__(self, assets: dict[str, Asset]) -> None:
        self._assets = assets

    @classmethod
    def load(cls, folder: Path) -> Site:
        """Read the built dashboard, or stand in for one that is not built."""
        assets = {}
        if (folder / "index.html").is_file():
            for file in sorted(folder.rglob("*")):
                if file.is_file() and file.suffix in _TYPES:
                    path = "/" + file.relative_to(folder).as_posix()
                    assets[path] = _asset(path, file.read_bytes())
        else:
            assets["/index.html"] = _asset("/index.html", _NOT_BUILT.encode())
        assets["/"] = assets["/index.html"]
        return cls(assets)

    def respond(self, request: Request) -> Response:
        """The answer to a request for a file."""
        asset = self._assets.get(request.path.partition("?")[0])
        if asset is None:
            return refuse(HTTPStatus.NOT_FOUND, "There is nothing here.", request)
        headers = [("ETag", asset.etag), ("Cache-Control", asset.cache_control)]
        if asset.etag in _etags(request):
            return _response(request, HTTPStatus.NOT_MODIFIED, None, b"", headers)
        return _response(request, HTTPStatus.OK, asset.content_type, asset.body, headers)


def _asset(path: str, body: bytes) -> Asset:
    # Vite puts a hash of its content into the name of everything in assets/.
    hashed = path.startswith("/assets/")
    return Asset(
        body=body,
        content_type=_TYPES[Path(path).suffix],
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        cache_control=_FOREVER if hashed else "no-cache",
    )


def check_method(request: Request) -> Response | None:
    """A refusal of anything but GET and HEAD."""
    return None if request.method in METHODS else refuse_method()


def refuse_method() -> Response:
    """What another method than GET and HEAD is answered with."""
    response = refuse(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD.")
    response.headers["Allow"] = "GET, HEAD"
    return response


def other_method(head: bytes) -> bool:
    """Whether a request that begins so has another method: then nothing of it need be read."""
    method, space, _ = head.partition(b" ")
    return bool(space) and _METHOD.fullmatch(method) is not None and method.decode() not in METHODS


def has_token(path: str) -> bool:
    """Whether a request's path or query carries a token, which logs on the way would keep."""
    if _TOKEN.search(path):
        return True
    query = parse_qsl(path.partition("?")[2], keep_blank_values=True)
    return any(name.lower() in _TOKEN_NAMES for name, _ in query)


def json_response(request: Request, status: HTTPStatus, body: bytes) -> Response:
    """An answer that must not be kept by anyone."""
    return _response(request, status, "application/json", body, [("Cache-Control", "no-store")])


def refuse(status: HTTPStatus, text: str, request: Request | None = None) -> Response:
    """A short answer in plain words."""
    body = f"{text}\n".encode()
    headers = [("Cache-Control", "no-store")]
    return _response(request, status, "text/plain; charset=utf-8", body, headers)


def _response(
    request: Request | None,
    status: HTTPStatus,
    content_type: str | None,
    body: bytes,
    more: list[tuple[str, str]],
) -> Response:
    headers = Headers([("Date", formatdate(usegmt=True)), ("Connection", "close"), *_SECURITY])
    if content_type is not None:
        headers["Content-Type"] = content_type
        headers["Content-Length"] = str(len(body))
    for name, value in more:
        headers[name] = value
    silent = request is not None and request.method == "HEAD"
    return Response(status.value, status.phrase, headers, b"" if silent else body)


def _etags(request: Request) -> set[str]:
    """RFC 9110 section 13.1.2: weak comparison, so a W/ in front says nothing."""
    values = ",".join(request.headers.get_all("If-None-Match"))
    return {value.strip().removeprefix("W/") for value in values.split(",")}


def same_origin(origin: str, host: str, allowed: tuple[str, ...]) -> bool:
    """Whether a page of this origin may open a socket on this host (RFC 6455 section 10.2)."""
    if origin in allowed:
        return True
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return False
    if f"{parts.scheme}://{parts.netloc}" != origin:
        return False
    default = 443 if parts.scheme == "https" else 80
    try:
        ours = urlsplit(f"//{host}")
        our_port = ours.port or default
    except ValueError:
        return False
    return (parts.hostname, port or default) == (ours.hostname, our_port)
