"""Checking a document against a JSON schema, with the `jsonschema` library (extra `schemas`)."""

import logging
from functools import cache
from typing import Any

import msgspec

logger = logging.getLogger(__name__)

MAX_MISFIT_CHARS = 300
_json = msgspec.json.Decoder()


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
    validator = jsonschema.validators.validator_for(schema)(schema)
    try:
        error = jsonschema.exceptions.best_match(validator.iter_errors(document))
    except Exception:  # the client's schema: it may refer to what is not there
        logger.debug("a JSON schema could not be checked", exc_info=True)
        return None
    return None if error is None else f"{error.json_path}: {error.message}"[:MAX_MISFIT_CHARS]


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
