"""A Hugging Face hub on this machine: the part of its protocol that `snapshot_download` speaks."""

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 100_000
"""Bytes from which on a file is kept as the hub keeps large ones, named by its SHA-256."""
_ROUTE = re.compile(
    r"/api/models/(?P<info>[^/]+/[^/]+)/revision/[^/?]+"
    r"|/api/models/(?P<tree>[^/]+/[^/]+)/tree/[^/?]+"
    r"|/(?P<repository>[^/]+/[^/]+)/resolve/[^/]+/(?P<file>[^?]+)"
)


@dataclass
class Faults:
    """What goes wrong; nothing by default."""

    status: int | None = None
    """Answers every question with this."""
    page: bytes | None = None
    """Answers every question with this, as the login page of a hotel's network does."""
    cut_after: int | None = None
    """Ends the connection after so many bytes of a large file, once."""
    stall_after: int | None = None
    """Goes silent after so many bytes of a large file."""
    flip_byte: int | None = None
    """Which byte of a large file arrives wrong."""
    claimed_size: int | None = None
    """How long a large file is said to be."""
    slow_s: float = 0.0
    """Waits so long before each 64 KiB."""


@dataclass
class Hub:
    """Repositories by name, each a set of files; notes what it is asked for."""

    repositories: dict[str, dict[str, Path]]
    faults: Faults = field(default_factory=Faults)
    asked: list[str] = field(default_factory=list)
    """Method, path and range of each request."""
    url: str = ""

    def environment(self, home: Path) -> dict[str, str]:
        """What makes the hub's client use this hub, and an own cache, and lose patience soon."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DOWNLOAD_TIMEOUT": "1",
            "HF_HUB_ETAG_TIMEOUT": "1",
            "NO_PROXY": "127.0.0.1",
        }

    def files_asked_for(self) -> set[str]:
        """Names of the files that were downloaded."""
        found = (re.search(r"GET .*/resolve/\w+/(\S+)", line) for line in self.asked)
        return {match[1] for match in found if match}


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve it on a free port of this machine."""

    class Handler(_Handler):
        pass

    Handler.hub = hub
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet."""

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> None:
        hub = self.hub
        hub.asked.append(f"{self.command} {self.path} {self.headers.get('Range', '')}".strip())
        route = _ROUTE.fullmatch(self.path.partition("?")[0])
        name = route and (route["info"] or route["tree"] or route["repository"])
        files = hub.repositories.get(name or "")
        if hub.faults.page is not None:
            self._send(200, hub.faults.page, {"Content-Type": "text/html"})
        elif hub.faults.status is not None:
            self._send(hub.faults.status, b'{"error": "as asked"}', {"X-Error-Message": "as asked"})
        elif route is None or files is None:
            code = {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"}
            self._send(404 if route is None else 401, b"{}", code)
        elif route["info"]:
            siblings = [{"rfilename": file} for file in files]
            self._send_json({"id": name, "sha": COMMIT, "siblings": siblings, "tags": []})
        elif route["tree"]:
            self._send_json([_entry(file, path, hub.faults) for file, path in files.items()])
        elif route["file"] not in files:
            self._send(404, b"{}", {"X-Error-Code": "EntryNotFound"})
        else:
            self._send_file(files[route["file"]])

    def _send_json(self, content: Any) -> None:
        self._send(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _send_file(self, path: Path) -> None:
        faults, is_large = self.hub.faults, path.stat().st_size >= LARGE
        content = bytearray(path.read_bytes())
        size = (is_large and faults.claimed_size) or len(content)
        if is_large and faults.flip_byte is not None:
            content[faults.flip_byte] ^= 0xFF
        begin = int((self.headers.get("Range") or "bytes=0-")[len("bytes=") :].partition("-")[0])
        self.send_response(206 if begin else 200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{_etag(path)}"')
        if is_large:
            self.send_header("X-Linked-Etag", f'"{_etag(path)}"')
            self.send_header("X-Linked-Size", str(size))
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{size - 1}/{size}")
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(bytes(content[begin:]), faults if is_large else Faults())

    def _send_body(self, body: bytes, faults: Faults) -> None:
        if faults.cut_after is not None:
            body, faults.cut_after = body[: faults.cut_after], None
            self.close_connection = True
        if faults.stall_after is not None:
            self.wfile.write(body[: faults.stall_after])
            time.sleep(3)  # longer than the client waits
            self.close_connection = True
            return
        for at in range(0, len(body), 1 << 16):
            time.sleep(faults.slow_s)
            try:
                self.wfile.write(body[at : at + (1 << 16)])
            except OSError:  # the client has gone, as a test may want it to
                self.close_connection = True
                return


def _entry(name: str, path: Path, faults: Faults) -> dict[str, Any]:
    size = path.stat().st_size
    entry: dict[str, Any] = {"type": "file", "path": name, "size": size, "oid": _git_hash(path)}
    if size >= LARGE:
        size = entry["size"] = faults.claimed_size or size
        entry["lfs"] = {"oid": _etag(path), "size": size, "pointerSize": 130}
    return entry


def _etag(path: Path) -> str:
    """The SHA-256 of a large file; of others the hash that git has for them."""
    content = path.read_bytes()
    return hashlib.sha256(content).hexdigest() if len(content) >= LARGE else _git_hash(path)


def _git_hash(path: Path) -> str:
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
