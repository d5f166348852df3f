"""Make any chat-completions server speak the OpenAI Responses API.

    from adapter import ResponsesAPI, ResponsesMiddleware

Names are loaded when they are first used, so that `import adapter` costs little.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from adapter._version import __version__

if TYPE_CHECKING:
    from adapter.asgi.app import ResponsesAPI, create_app
    from adapter.asgi.middleware import ResponsesMiddleware
    from adapter.config import Settings
    from adapter.dialects import Dialect
    from adapter.errors import AdapterError
    from adapter.stream.machine import ResponseStream
    from adapter.translate.request import to_chat_request

_HOMES = {
    "AdapterError": "adapter.errors",
    "Dialect": "adapter.dialects",
    "ResponseStream": "adapter.stream.machine",
    "ResponsesAPI": "adapter.asgi.app",
    "ResponsesMiddleware": "adapter.asgi.middleware",
    "Settings": "adapter.config",
    "create_app": "adapter.asgi.app",
    "to_chat_request": "adapter.translate.request",
}

__all__ = [
    "AdapterError",
    "Dialect",
    "ResponseStream",
    "ResponsesAPI",
    "ResponsesMiddleware",
    "Settings",
    "__version__",
    "create_app",
    "to_chat_request",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
