"""Checking a document against a JSON schema, with the `jsonschema` library (extra `schemas`).

The schema is the client's and the document the model's, so neither may cost more than it is worth:
nothing is fetched for a `$ref`, regular expressions are not tried (one can take years), and a check
that takes too many steps is given up. What was not checked counts as fitting.
"""

import logging
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import msgspec

logger = logging.getLogger(__name__)

MAX_MISFIT_CHARS = 300
MAX_STEPS = 20_000  # keywords looked at; 0.13 s (CPython 3.11, November 2026)
MAX_UNIQUE_ITEMS = 1000  # compared with each other, each with all
# Those that search with regular expressions, or go through all others again.
_NOT_TRIED = ("pattern", "patternProperties", "unevaluatedItems", "unevaluatedProperties")
_json = msgspec.json.Decoder()

# (validator, value of the keyword, what is checked, schema) to the errors
_Keyword = Callable[[Any, Any, Any, Any], Iterator[Any] | None]


class _TooManyStepsError(Exception):
    """The check takes more steps than it may."""


def find_misfit(text: str, schema: dict[str, Any]) -> str | None:
    """Return what is wrong with a document, or None if it fits.

    Without the library only the syntax is checked, and a warning says so once.

    Args:
        text: the document.
        schema: the JSON schema; one that is no schema fits everything.
    """
    try:
        document = _json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return "it is not a JSON document"
    jsonschema = _library()
    if jsonschema is None:
        return None
    try:
        draft = jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator)
        error = _checker(draft).find_error(document, schema)
    except Exception:  # whatever the library makes of the client's schema
        logger.debug("a JSON schema could not be checked", exc_info=True)
        return None
    return None if error is None else f"{error.json_path}: {error.message}"[:MAX_MISFIT_CHARS]


class _Checker:
    """The keywords of one draft of JSON schema, within bounds."""

    def __init__(self, draft: Any) -> None:
        self._steps = 0
        keywords = {name: self._counted(check) for name, check in draft.VALIDATORS.items()}
        keywords |= dict.fromkeys(_NOT_TRIED, _passes)
        keywords["additionalProperties"] = _unless_patterns(keywords["additionalProperties"])
        if "uniqueItems" in keywords:
            keywords["uniqueItems"] = _unless_long(keywords["uniqueItems"])
        self._validators = _library().validators.extend(draft, keywords)

    def find_error(self, document: Any, schema: dict[str, Any]) -> Any:
        library = _library()
        # `$schema` chooses a draft anew wherever it stands, and with it the library's own keywords.
        schema = {key: value for key, value in schema.items() if key != "$schema"}
        if _names_a_draft(schema):
            return None
        self._steps = 0
        # An own registry: by default the library fetches what a `$ref` names.
        validator = self._validators(schema, registry=_registry())
        return library.exceptions.best_match(validator.iter_errors(document))

    def _counted(self, check: _Keyword) -> _Keyword:
        def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any] | None:
            self._steps += 1
            if self._steps > MAX_STEPS:
                raise _TooManyStepsError
            return check(validator, value, instance, schema)

        return counted


def _passes(validator: Any, value: Any, instance: Any, schema: Any) -> None:
    """Find nothing wrong."""


def _unless_patterns(check: _Keyword) -> _Keyword:
    def checked(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any] | None:
        if "patternProperties" in schema:
            return None
        return check(validator, value, instance, schema)

    return checked


def _unless_long(check: _Keyword) -> _Keyword:
    def checked(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any] | None:
        if isinstance(instance, list) and len(instance) > MAX_UNIQUE_ITEMS:
            return None
        return check(validator, value, instance, schema)

    return checked


def _names_a_draft(schema: Any) -> bool:
    """Tell whether a schema inside has a `$schema` of its own."""
    if isinstance(schema, list):
        return any(map(_names_a_draft, schema))
    if not isinstance(schema, dict):
        return False
    return isinstance(schema.get("$schema"), str) or any(map(_names_a_draft, schema.values()))


@cache
def _checker(draft: Any) -> _Checker:
    return _Checker(draft)


@cache
def _registry() -> Any:
    import referencing

    return referencing.Registry()


@cache
def _library() -> Any:
    try:
        import jsonschema
    except ImportError:
        logger.warning(
            "answers are not checked against their JSON schema: "
            "pip install 'responses-adapter[schemas]'"
        )
        return None
    return jsonschema
