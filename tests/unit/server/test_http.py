"""The dashboard's files: headers, caching, and no way out of their folder."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request

from strapline_server.http import (
    Site,
    check_method,
    has_token,
    json_response,
    other_method,
    same_origin,
)


def get(path: str, method: str = "GET", **headers: str) -> Request:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Request(path, Headers(pairs), method)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    folder = tmp_path / "_web"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "index-BZ6rzRC8.js").write_text("1")
    (folder / "assets" / "sans-2.woff2").write_bytes(b"wOF2")
    (folder / "built-from").write_text("a hash")
    (tmp_path / "secret").write_text("not to be served")
    return Site.load(folder)


@pytest.mark.parametrize(
    ("path", "kind", "cache"),
    [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/index.html", "text/html; charset=utf-8", "no-cache"),
        ("/?utm=1", "text/html; charset=utf-8", "no-cache"),
        ("/favicon.svg", "image/svg+xml", "no-cache"),
        ("/assets/index-BZ6rzRC8.js", "text/javascript; charset=utf-8", "immutable"),
        ("/assets/sans-2.woff2", "font/woff2", "immutable"),
    ],
)
def test_a_file_has_its_type_and_its_caching(site: Site, path: str, kind: str, cache: str) -> None:
    response = site.respond(get(path))
    assert response.status_code == 200
    assert response.headers["Content-Type"] == kind
    assert cache in response.headers["Cache-Control"]
    assert response.headers["Content-Length"] == str(len(response.body))
    if cache == "immutable":
        assert "max-age=31536000" in response.headers["Cache-Control"]


def test_every_answer_carries_the_security_headers(site: Site) -> None:
    for response in (
        site.respond(get("/")),
        site.respond(get("/none")),
        check_method(get("/", "POST")),
    ):
        assert response is not None
        policy = response.headers["Content-Security-Policy"]
        for rule in (
            "default-src 'self'",
            "connect-src 'self'",
            "img-src 'self' data:",
            "style-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "object-src 'none'",
        ):
            assert rule in policy
        assert "unsafe" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert "camera=()" in response.headers["Permissions-Policy"]
        assert response.headers["Connection"] == "close"


def test_what_the_browser_has_is_not_sent_again(site: Site) -> None:
    etag = site.respond(get("/")).headers["ETag"]
    for sent in (etag, f"W/{etag}", f'"other", {etag}'):
        response = site.respond(get("/", If_None_Match=sent))
        assert (response.status_code, response.body) == (304, b"")
        assert response.headers["ETag"] == etag
        assert "Content-Length" not in response.headers
    assert site.respond(get("/", If_None_Match='"other"')).status_code == 200


def test_head_says_all_but_the_body(site: Site) -> None:
    response = site.respond(get("/", "HEAD"))
    assert response.body == b""
    assert response.headers["Content-Length"] == "15"
    assert site.respond(get("/none", "HEAD")).body == b""


@pytest.mark.parametrize(
    "path",
    [
        "/secret",
        "/../secret",
        "/assets/../../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "//secret",
        "/assets/",
        "/assets",
        "/built-from",
        "/index.html/",
        "/index.html%00",
        "secret",
        "http://elsewhere/secret",
        "",
        "*",
        "//[",
        "/[?[",
    ],
)
def test_there_is_no_way_out_of_the_folder(site: Site, path: str) -> None:
    response = site.respond(get(path))
    assert response.status_code == 404
    assert b"not to be served" not in response.body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get"])
def test_only_get_and_head(method: str) -> None:
    response = check_method(get("/", method))
    assert response is not None
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("head", "other"),
    [
        (b"", False),
        (b"GE", False),
        (b"GET ", False),
        (b"HEAD /", False),
        (b"POST", False),
        (b"POST ", True),
        (b"OPTIONS * HTTP/1.1", True),
        (b"get / HTTP/1.1", False),
        (b" GET /", False),
        (b"\x16\x03\x01 \x02", False),
        (b"ABCDEFGHIJKLMNOPQ ", False),
    ],
)
def test_another_method_is_known_by_its_first_word(head: bytes, other: bool) -> None:
    assert other_method(head) == other


def test_a_dashboard_that_is_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    response = Site.load(tmp_path / "none").respond(get("/"))
    assert response.status_code == 200
    assert b"./run" in response.body


def test_a_json_answer_is_kept_by_nobody() -> None:
    response = json_response(get("/healthz"), HTTPStatus.OK, b"{}")
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/ws", False),
        ("/?page=2", False),
        ("/ws?token=x", True),
        ("/?TOKEN=x", True),
        ("/?a=1&access_token=x", True),
        ("/x?y=eyJhbGciOiJIUzI1NiJ9.e30.x", True),
        ("/eyJhbGciOiJIUzI1NiJ9.e30.x", True),
        ("/assets/eyJ.js", False),
        ("//[?token=", True),
        ("//[", False),
    ],
)
def test_a_token_in_an_address_is_seen(path: str, found: bool) -> None:
    assert has_token(path) is found


def test_an_allowed_origin_is_one_to_the_letter() -> None:
    allowed = ("https://coach.example.org",)
    assert same_origin("https://coach.example.org", "pi", allowed)
    assert not same_origin("http://coach.example.org", "pi", allowed)
    assert not same_origin("https://coach.example.org:8443", "pi", allowed)
