"""A recorded request as a transcript: the files of a directory of `tests/transcripts/`, in a zip.

Ids are counted and times stand still, as they do when a transcript is replayed. What our code makes
of the answers is in it as it was; `pytest --update` makes it anew, and shows what is different.
"""

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from adapter._version import __version__
from adapter.dialects import DIALECTS
from adapter.inspector.exchange import Entry, Exchange
from adapter.inspector.masking import mask_pieces
from adapter.inspector.upstream import CHAT
from adapter.stream.encode import DONE

NOW = 1_795_132_800  # the clock of transcripts stands still at 2026-11-20

_ID = re.compile(rb"\b([a-z]{2,6})_(?:[0-9a-f]{48}|[0-9a-f]{24})\b")
_TIME = re.compile(rb'"(created_at|completed_at)":( ?)\d+')
_SUFFIXES = {"text/event-stream": "sse", "application/json": "json"}
_ENVELOPE = frozenset({"type", "stream_id", "generate"})  # of a WebSocket's frames
_KEPT_HEADERS = ("retry-after", "server")


def to_zip(exchange: Exchange) -> tuple[str, bytes]:
    """Return the name of a transcript, and its files in a zip."""
    files = to_files(exchange)
    folder = f"{_dialect_name(exchange)}/recorded-{exchange.id}"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in files.items():
            opened.writestr(f"{folder}/{name}", content)
    return folder.replace("/", "-"), archive.getvalue()


def to_files(exchange: Exchange) -> dict[str, bytes]:
    """Return the files of a transcript by name."""
    counted = _Counted()
    files: dict[str, bytes] = {}
    entries = exchange.entries
    request = next((entry.data for entry in entries if entry.kind == "request"), b"")
    files["request.json"] = readable(_without_envelope(request))
    answers: list[dict[str, Any]] = []
    chats = [entry for entry in entries if entry.kind == "chat" and entry.about["path"] == CHAT]
    for chat in chats:
        status = next((e for e in entries if (e.kind, e.turn) == ("answer", chat.turn)), None)
        if status is None:
            continue  # it could not be reached: there is nothing to play
        number = len(answers) + 1
        answer = _answer(status)
        pieces = [e.data for e in entries if (e.kind, e.turn) == ("chunk", chat.turn)]
        suffix = _SUFFIXES.get(answer["content_type"].partition(";")[0], "txt")
        files[f"chat.{number}.json"] = readable(mask_pieces([chat.data], exchange.secrets)[0])
        files[f"upstream.{number}.{suffix}"] = b"".join(mask_pieces(pieces, exchange.secrets))
        answers.append(answer)
    files |= {name: counted.replace(body) for name, body in _ours(exchange).items()}
    files["source.toml"] = _source(exchange, answers).encode()
    return files


def readable(document: bytes) -> bytes:
    """Return JSON on lines of its own; what is none as it is."""
    try:
        return msgspec.json.format(document, indent=2) + b"\n"
    except msgspec.DecodeError:
        return document


def _without_envelope(request: bytes) -> bytes:
    """Return a request without what stands around it in a frame."""
    try:
        fields = msgspec.json.decode(request, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return request
    if not _ENVELOPE & fields.keys():
        return request
    return msgspec.json.encode({n: value for n, value in fields.items() if n not in _ENVELOPE})


def _ours(exchange: Exchange) -> dict[str, bytes]:
    """Return what the client got, by the names of transcripts."""
    sent = [entry.data for entry in exchange.entries if entry.kind == "sent"]
    sent = mask_pieces(sent, exchange.secrets)
    start = next((entry for entry in exchange.entries if entry.kind == "start"), None)
    if exchange.way == "websocket":
        body = b"".join(map(_as_sse, sent)) + DONE
    elif start is None:
        return {}
    elif start.about["status"] != 200:
        return {"error.json": readable(_error(start, b"".join(sent)))}
    elif not _is_stream(start):
        return {"response.json": readable(b"".join(sent))}
    else:
        body = b"".join(sent)
    last = re.findall(
        rb'^data: (\{"type":"response\.(?:completed|incomplete|failed)".*)$', body, re.M
    )
    made = {"events.sse": body}
    if last:
        made["response.json"] = readable(_response(last[-1]))
    return made


class _Last(msgspec.Struct, frozen=True):
    response: msgspec.Raw


def _response(event: bytes) -> bytes:
    return bytes(msgspec.json.decode(event, type=_Last).response)


def _as_sse(frame: bytes) -> bytes:
    kind: str = msgspec.json.decode(frame).get("type", "")
    return f"event: {kind}\ndata: ".encode() + frame + b"\n\n"


def _is_stream(start: Entry) -> bool:
    return any(
        name.lower() == "content-type" and value.startswith("text/event-stream")
        for name, value in start.about["headers"]
    )


def _error(start: Entry, body: bytes) -> bytes:
    document = {"status": start.about["status"], "headers": {}, "body": msgspec.Raw(body or b"{}")}
    return msgspec.json.encode(document)


def _answer(status: Entry) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in status.about["headers"]}
    return {
        "status": status.about["status"],
        "content_type": headers.get("content-type", ""),
        "headers": {name: headers[name] for name in _KEPT_HEADERS if name in headers},
    }


class _Counted:
    """Gives ids the numbers that a replay would give them."""

    def __init__(self) -> None:
        self._counts: Counter[bytes] = Counter()
        self._names: dict[bytes, bytes] = {}

    def replace(self, body: bytes) -> bytes:
        body = _TIME.sub(rb'"\1":\g<2>%d' % NOW, body)
        return _ID.sub(self._name, body)

    def _name(self, match: re.Match[bytes]) -> bytes:
        if match[0] not in self._names:
            self._counts[match[1]] += 1
            self._names[match[0]] = b"%s_%d" % (match[1], self._counts[match[1]])
        return self._names[match[0]]


def _dialect_name(exchange: Exchange) -> str:
    name: str = getattr(exchange.dialect, "name", "generic")
    return re.sub(r"[^\w.-]", "-", name)


def _source(exchange: Exchange, answers: list[dict[str, Any]]) -> str:
    """Return what says who answered, in TOML."""
    day = datetime.fromtimestamp(exchange.started_at, UTC).date()
    server = next((found for a in answers if (found := a["headers"].pop("server", ""))), "unknown")
    lines = [
        f"server = {_toml(server)}",
        'version = "unknown"',
        'origin = "capture"',
        f"date = {day.isoformat()}",
        f"dialect = {_toml(_dialect_name(exchange))}",
        f"report = {_toml(f'recorded by the inspector of responses-adapter {__version__}')}",
    ]
    if exchange.note:
        lines.append(f"note = {_toml(exchange.note)}")
    if facts := dict(_facts(exchange.dialect)):
        lines += ["", "[facts]", *(f"{name} = {value}" for name, value in facts.items())]
    for answer in answers:
        lines += ["", "[[answers]]", f"status = {answer['status']}"]
        lines.append(f"content_type = {_toml(answer['content_type'])}")
        if answer["headers"]:
            pairs = (f"{_toml(name)} = {_toml(value)}" for name, value in answer["headers"].items())
            lines.append(f"headers = {{ {', '.join(pairs)} }}")
    return "\n".join([*lines, ""])


def _facts(dialect: Any) -> Iterator[tuple[str, str]]:
    """Yield what was learned of an upstream beyond its row, as far as TOML can say it."""
    known = DIALECTS.get(getattr(dialect, "name", ""))
    if known is None:
        return
    for field in msgspec.structs.fields(known):
        value = getattr(dialect, field.name)
        if value == getattr(known, field.name):
            continue
        if isinstance(value, bool | str | int):
            yield field.name, _toml(value)
        elif isinstance(value, frozenset) and all(isinstance(entry, str) for entry in value):
            yield field.name, _toml(sorted(value))


def _toml(value: Any) -> str:
    """Return texts, a number or a claim as TOML, which has them as JSON does (TOML 1.0 §String)."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
