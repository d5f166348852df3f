"""How many tokens the input of a request has, without an answer to it.

The request is translated as a real one is. Then the upstream is asked at whatever endpoint its
dialect says that it has; what turns out not to be there is not tried again for that model. Without
one, a call for one token of output tells in its usage; it costs what its prompt costs, so it can be
switched off.
"""

import logging
from contextlib import aclosing

import msgspec

from adapter.compaction import Translations
from adapter.dialects.base import TokenCounter
from adapter.errors import AdapterError
from adapter.loop import ResponseRun
from adapter.surroundings import Surroundings
from adapter.translate.counting import WAYS, TokenQuestion
from adapter.turn import Target
from adapter.types.request import ResponseRequest
from adapter.upstream.base import Poster, UpstreamAnswer

logger = logging.getLogger(__name__)

# The endpoint is not there, or does not do it.
_MISSING = frozenset({404, 405, 501})
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _RefusedError(Exception):
    """The endpoint did not answer with a count."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class InputCount:
    """Counts the tokens of one request.

    Args:
        request: what the client would ask, with all that was said before.
        translate: how requests to the upstream are translated.
        target: where to ask; what it does not have is added to its habits.
        surroundings: ids, the clock, limits.
        calls: make a call of one token where the upstream has no endpoint.

    Attributes:
        translation: what would be asked upstream.

    Raises:
        InvalidRequestError: the request cannot be translated.
    """

    def __init__(
        self,
        request: ResponseRequest,
        translate: Translations,
        target: Target,
        surroundings: Surroundings,
        *,
        calls: bool,
    ) -> None:
        self._request = request
        self._translate = translate
        self._target = target
        self._surroundings = surroundings
        self._calls = calls
        self._dialect = target.habits.of(target.model)
        self.translation = translate(request, None)(self._dialect)

    async def count(self) -> int:
        """Return the number of tokens.

        Raises:
            AdapterError: the upstream cannot be reached, refuses the request, or tells no number.
        """
        upstream = self._target.upstream
        if isinstance(upstream, Poster):
            for way in self._dialect.token_counters:
                if count := await self._ask(way, upstream):
                    return count
        if not self._calls:
            raise _cannot_count("no endpoint that counts tokens")
        return await self._call()

    async def _ask(self, way: TokenCounter, upstream: Poster) -> int | None:
        """Ask at an endpoint; None if it does not tell."""
        asking = WAYS[way](self.translation.chat)
        question = next(asking, None)
        if question is None:
            return None  # it does not do for this request
        count: int | None = None
        try:
            while True:
                question = asking.send(await self._post(question, upstream))
        except StopIteration as stop:
            count = stop.value
        except _RefusedError as refused:
            logger.debug("no tokens counted by %s: status %d", way, refused.status)
            if refused.status not in _MISSING:
                return None
        except _UNREADABLE:
            pass
        if count is None:
            self._forget(way)
        return count

    async def _post(self, question: TokenQuestion, upstream: Poster) -> bytes:
        async with upstream.post(question.path, question.body, self._target.headers) as answer:
            if answer.status != 200:
                raise _RefusedError(answer.status)
            return await _read(answer, self._surroundings.max_event_bytes)

    def _forget(self, way: TokenCounter) -> None:
        """Let later requests of the model not try it again."""
        before = self._dialect
        ways = tuple(each for each in before.token_counters if each != way)
        self._dialect = msgspec.structs.replace(before, token_counters=ways)
        self._target.habits.learn(self._target.model, before, self._dialect)

    async def _call(self) -> int:
        # Tools of MCP servers are not listed for this, so they are in no count.
        request = msgspec.structs.replace(
            self._request,
            max_output_tokens=1,
            max_completion_tokens=None,
            max_tokens=None,
            top_logprobs=None,
            include=None,
            context_management=None,
        )
        run = ResponseRun(
            request,
            self._translate(request, None),
            self._target,
            msgspec.structs.replace(self._surroundings, sealer=None, hosting=None),
        )
        usage = (await run.collect()).usage
        if usage is None or not usage.input_tokens:
            raise _cannot_count("no usage in its answers")
        return usage.input_tokens


async def _read(answer: UpstreamAnswer, limit: int) -> bytes:
    body = bytearray()
    async with aclosing(answer.chunks()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > limit:
                raise _RefusedError(answer.status)
    return bytes(body)


def _cannot_count(reason: str) -> AdapterError:
    return AdapterError(
        f"The tokens of this model's input cannot be counted: its upstream has {reason}.",
        status=501,
        type="invalid_request_error",
        code="not_implemented",
    )
