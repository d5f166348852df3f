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
    from adapter.runners.base import ToolRunner
    from adapter.runners.python import hosted_tool
    from adapter.store.base import ResponseStore
    from adapter.stream.machine import ResponseStream
    from adapter.translate.request import to_chat_request
    from adapter.types.hosted import ToolResult

_HOMES = {
    "AdapterError": "adapter.errors",
    "Dialect": "adapter.dialects",
    "ResponseStore": "adapter.store.base",
    "ResponseStream": "adapter.stream.machine",
    "ResponsesAPI": "adapter.asgi.app",
    "ResponsesMiddleware": "adapter.asgi.middleware",
    "Settings": "adapter.config",
    "ToolResult": "adapter.types.hosted",
    "ToolRunner": "adapter.runners.base",
    "create_app": "adapter.asgi.app",
    "hosted_tool": "adapter.runners.python",
    "to_chat_request": "adapter.translate.request",
}

__all__ = [
    "AdapterError",
    "Dialect",
    "ResponseStore",
    "ResponseStream",
    "ResponsesAPI",
    "ResponsesMiddleware",
    "Settings",
    "ToolResult",
    "ToolRunner",
    "__version__",
    "create_app",
    "hosted_tool",
    "to_chat_request",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
