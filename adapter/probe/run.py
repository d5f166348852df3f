"""A whole probe: where the upstream is, which models it has, and then one check after the other."""

from collections import deque
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any
from urllib.parse import urlsplit

import msgspec

from adapter.dialects import GENERIC, Dialect, find_dialect
from adapter.errors import UpstreamError, UpstreamTimeoutError
from adapter.probe.ask import Asker, Limits, open_upstream
from adapter.probe.check import NEEDS, Check, Verdict, quote, unclear
from adapter.probe.checks import CHECKS, FIRST
from adapter.probe.known import BY_PORT, Known, changed, context_of, start
from adapter.probe.reply import Question
from adapter.probe.report import Finding, Report, printable
from adapter.translate.errors import http_error
from adapter.upstream.http import HttpUpstream

MAX_LIST_BYTES = 4 * 1024 * 1024  # of the list of models; routers have many
_ALWAYS_THERE = frozenset({"model", "messages", "stream"})
_json = msgspec.json.Decoder()


class ModelList(msgspec.Struct, frozen=True):
    """What `/v1/models` said.

    Attributes:
        url: base URL under which it is.
        headers: of the answer.
        body: decoded; None if there is no list.
    """

    url: str
    headers: Mapping[str, str] = {}
    body: Any = None

    def entries(self) -> list[dict[str, Any]]:
        """Return the entries that name a model."""
        listed = self.body.get("data") if isinstance(self.body, dict) else self.body
        return [
            entry
            for entry in (listed if isinstance(listed, list) else [])
            if isinstance(entry, dict) and isinstance(entry.get("id"), str)
        ]


async def probe(
    url: str,
    *,
    model: str | None = None,
    api_key: str | None = None,
    limits: Limits | None = None,
    on_check: Callable[[str], None] | None = None,
    checks: tuple[Check, ...] = CHECKS,
) -> Report:
    """Find out what an upstream does.

    Args:
        url: base URL; a bare address is looked for at `/v1` too.
        model: to ask; by default the first that it lists.
        api_key: that it wants; it stands in no finding.
        limits: how much may be asked for.
        on_check: told the name of every check before it is made.
        checks: what to look at after the first answer.

    Raises:
        ValueError: no base URL.
        UpstreamError: it cannot be reached, or there is no model to ask.
    """
    limits = limits or Limits()
    headers = {} if api_key is None else {"authorization": f"Bearer {api_key}"}
    found = await find_models(url, headers, limits.seconds, is_needed=model is None)
    known = _begin(found, model, limits)
    upstream = open_upstream(found.url, limits.seconds)
    try:
        asker = Asker(upstream, headers, limits)
        run = _Run(asker, known, (api_key or "",), on_check)
        await run.make(FIRST)
        if run.known.answers:
            for check in checks:
                await run.make(check)
    finally:
        await upstream.aclose()
    return Report(
        url=found.url,
        model=known.model,
        models=tuple(entry["id"] for entry in found.entries()),
        base=run.known.base,
        dialect=run.known.dialect,
        findings=tuple(run.findings),
        answers=run.known.answers,
        requests=asker.requests + 1,
        tokens=asker.tokens,
    )


def _begin(found: ModelList, model: str | None, limits: Limits) -> Known:
    """Return what is known before the first question: which model to ask, and what lists it."""
    entries = found.entries()
    asked = model or next((entry["id"] for entry in entries), None)
    if asked is None:
        raise UpstreamError(f"{found.url} lists no models: name one with --model.")
    entry = next((entry for entry in entries if entry["id"] == asked), {})
    base, told_by = _tell(found)
    return start(asked, base, told_by, max_tokens=limits.max_tokens, context=context_of(entry))


def _tell(found: ModelList) -> tuple[Dialect, str]:
    """Return the dialect that is known to be like this, and what told it."""
    evidence: dict[str, dict[str, Any]] = {
        "its host": {"base_url": found.url},
        "its server header": {"headers": found.headers},
        "its list of models": {"models": found.body},
    }
    for name, said in evidence.items():
        base = find_dialect(**said)
        # A port alone says less than what stands in an answer.
        if base is not None and not (name == "its host" and not base.hosts):
            return base, name
    base = find_dialect(base_url=found.url)
    return (GENERIC, "") if base is None else (base, BY_PORT)


class _Run:
    """The checks, made one after the other, and what comes of them."""

    def __init__(
        self,
        asker: Asker,
        known: Known,
        secrets: tuple[str, ...],
        on_check: Callable[[str], None] | None,
    ) -> None:
        self.known = known
        self.findings: list[Finding] = []
        self._asker = asker
        self._secrets = secrets
        self._on_check = on_check

    async def make(self, first: Check) -> None:
        """Make a check, and those that it leads to."""
        queue = deque([first])
        while queue:
            check = queue.popleft()
            if self._on_check is not None:
                self._on_check(check.name)
            verdict = await self._verdict(check)
            if verdict is not None:
                self._keep(check, verdict)
                queue.extendleft(reversed(verdict.more))

    async def _verdict(self, check: Check) -> Verdict | None:
        """Return what a check finds; None if it does not apply."""
        if missing := [NEEDS[need] for need in check.needs if not getattr(self.known, need)]:
            return unclear(f"not asked: {missing[0]}")
        questions = check.ask(self.known)
        replies = []
        for question in questions:
            if reason := self._asker.why_not(question):
                return unclear(f"not asked: {reason}")
            reply = await self._asker.ask(question)
            if reply.outcome == "failed":
                assert reply.error is not None  # it failed
                return unclear(f"no answer: {quote(reply.error.message.partition('. ')[0])}")
            if not reply.is_refused:
                self._accept(reply.question)
            replies.append(reply)
        return check.judge(self.known, replies) if replies else None

    def _accept(self, question: Question) -> None:
        fields = question.chat.parameters.keys() - _ALWAYS_THERE
        accepted = self.known.accepted | fields
        self.known = msgspec.structs.replace(self.known, accepted=accepted)

    def _keep(self, check: Check, verdict: Verdict) -> None:
        known = msgspec.structs.replace(self.known, **verdict.notes)
        after = msgspec.structs.replace(known.dialect, **verdict.facts)
        facts = changed(known.dialect, after)
        self.known = msgspec.structs.replace(known, dialect=after)
        self.findings.append(
            Finding(
                check.name,
                verdict.grade,
                printable(verdict.finding, self._secrets),
                printable(verdict.action, self._secrets),
                facts,
            )
        )


async def find_models(
    url: str, headers: Mapping[str, str], seconds: float, *, is_needed: bool
) -> ModelList:
    """Return the list of models, and the base URL under which it is.

    Args:
        url: base URL; a bare address is looked for at `/v1` first.
        headers: of the request.
        seconds: for one answer.
        is_needed: without a list, there is no model to ask.

    Raises:
        ValueError: no base URL.
        UpstreamError: it cannot be reached, or refuses to tell (a missing key).
    """
    is_bare = not urlsplit(url).path.strip("/")
    places = [f"{url.rstrip('/')}/v1", url] if is_bare else [url]
    for place in places:
        upstream = open_upstream(place, seconds)
        try:
            found = await _list_models(upstream, place, headers)
        except UpstreamTimeoutError:
            if is_needed:
                raise
            found = ModelList(place)
        finally:
            await upstream.aclose()
        if found.body is not None:
            return found
    return ModelList(places[0])


async def _list_models(upstream: HttpUpstream, place: str, headers: Mapping[str, str]) -> ModelList:
    body = bytearray()
    async with upstream.list_models(headers) as answer, aclosing(answer.chunks()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > MAX_LIST_BYTES:
                break
        if answer.status in (401, 403):
            raise http_error(answer.status, answer.headers, bytes(body))
        try:
            listed = _json.decode(bytes(body)) if answer.status == 200 else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            listed = None
        return ModelList(place, answer.headers, listed)
