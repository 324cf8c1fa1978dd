"""`echobench live serve` captions audio from clients; `live send` sends files or a microphone.

    echobench live serve --provider whisper_cpp
    echobench live send meeting-me.wav meeting-others.wav

A token is read from a file or from ECHOBENCH_LIVE_TOKEN, never from the command line, which other
users can see.
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from harness.errors import UsageError
from harness.live.client.send import Sending, send
from harness.live.client.terminal import Captions
from harness.live.server.admission import PATH
from harness.live.server.serve import Serving, serve
from harness.support.arguments import CHUNK_SECONDS, number_in, option, whole_number_in
from harness.vad.detector import filter_named

PORT = 8765
TOKEN_VARIABLE = "ECHOBENCH_LIVE_TOKEN"
SESSIONS, PORTS = range(1, 65), range(65_536)
QUEUE_SECONDS = (0.1, 600.0)
STOPPED = 130


def main(arguments: list[str], program: str = "echobench live") -> int:
    """Run `serve` or `send`, and return the exit status."""
    options = parser(program).parse_args(arguments)
    if options.command == "serve":
        asyncio.run(serve(serving_of(options)))
        return 0
    return _send(sending_of(options))


def parser(program: str = "echobench live") -> argparse.ArgumentParser:
    """The parser of the command line."""
    parser = argparse.ArgumentParser(
        prog=program,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="serve|send")
    serving = commands.add_parser("serve", help="serve captions for the audio of clients")
    add = serving.add_argument
    add("--provider", **option("--provider", "the recommended one, if ready, else the first"))
    add("--model", **option("--model", "the provider's"))
    add(
        "--smaller",
        metavar="MODEL",
        help="a faster model to use while the other is too slow; loaded too",
    )
    add("--fallback", metavar="NAME", action="append", default=[],
        help="a provider that takes over after a crash; repeatable")  # fmt: skip
    add("--chunk-seconds", **option("--chunk-seconds", 2, default="2"))
    add("--queue-seconds", metavar="S", default="10",
        help="audio that may wait; older audio is dropped (default: %(default)s)")  # fmt: skip
    add("--vad", **option("--vad", "off", default="off"))
    add("--sessions", metavar="N", default="1",
        help="sessions at once, each with its own models (default: %(default)s)")  # fmt: skip
    add("--host", default="127.0.0.1", help="(default: %(default)s); others need a token")
    add("--port", metavar="N", default=str(PORT), help="0 for any (default: %(default)s)")
    add("--origin", action="append", default=[], metavar="URL",
        help="another page that may connect, besides the server's own; repeatable")  # fmt: skip
    add("--token-file", type=Path, metavar="FILE", help=f"(default: ${TOKEN_VARIABLE}, if set)")
    add("--keep", type=Path, metavar="DIR", help="write each session's events there")
    add("--in-process", action="store_true",
        help="run engines in the server's process, which their crash then ends")  # fmt: skip
    sending = commands.add_parser("send", help="send audio, and show the captions")
    add = sending.add_argument
    add("files", nargs="*", type=Path, metavar="FILE",
        help="audio of source mic; a second file is source system")  # fmt: skip
    add("--mic", action="store_true", help="send this machine's microphone")
    add("--split", action="store_true", help="use the file's two channels as the two sources")
    add("--url", default=f"ws://127.0.0.1:{PORT}{PATH}", help="(default: %(default)s)")
    add("--session", metavar="NAME", help="a name by which others can watch it")
    add("--chunk-seconds", **option("--chunk-seconds", "the server's"))
    add("--token-file", type=Path, metavar="FILE", help=f"(default: ${TOKEN_VARIABLE}, if set)")
    return parser


def serving_of(options: argparse.Namespace) -> Serving:
    """Check the options of `live serve`.

    Raises:
        UsageError: A value can't be used.
    """
    return Serving(
        provider=options.provider,
        model=options.model,
        smaller=options.smaller,
        fallbacks=tuple(options.fallback),
        chunk_seconds=number_in("--chunk-seconds", options.chunk_seconds, CHUNK_SECONDS),
        queue_s=number_in("--queue-seconds", options.queue_seconds, QUEUE_SECONDS),
        vad=filter_named(options.vad),
        sessions=whole_number_in("--sessions", options.sessions, SESSIONS),
        host=options.host,
        port=whole_number_in("--port", options.port, PORTS),
        origins=tuple(options.origin),
        token=read_token(options.token_file),
        keep=options.keep,
        in_process=options.in_process,
    )


def sending_of(options: argparse.Namespace) -> Sending:
    """Check the options of `live send`.

    Raises:
        UsageError: A value can't be used, or it isn't clear what to send.
    """
    if bool(options.files) == options.mic:
        raise UsageError("live send", "files and --mic" if options.mic else "nothing to send",
                         "FILE, two FILEs, or --mic")  # fmt: skip
    chunk_s = options.chunk_seconds
    return Sending(
        url=options.url,
        token=read_token(options.token_file),
        session=options.session,
        chunk_seconds=chunk_s and number_in("--chunk-seconds", chunk_s, CHUNK_SECONDS),
        files=tuple(options.files),
        split=options.split,
    )


def read_token(path: Path | None) -> str | None:
    """Read the token from the file, or from the environment without one; None for no token.

    Raises:
        UsageError: The file can't be read, or is empty.
    """
    if path is None:
        return os.environ.get(TOKEN_VARIABLE) or None
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--token-file {path}", str(error), "a file with the token") from error
    if not token:
        raise UsageError(f"--token-file {path}", "is empty", "a file with the token")
    return token


def _send(sending: Sending) -> int:
    captions = Captions(sys.stdout, live=sys.stdout.isatty())
    try:
        asyncio.run(send(sending, captions.show))
    except KeyboardInterrupt:
        return STOPPED
    finally:
        captions.close()
    return 0
