"""What can go wrong, named by blame.

    AdapterError
    ├── InvalidRequestError        the client sent something that cannot be done (400)
    │   ├── NotFoundError          no such route or object (404)
    │   ├── MethodNotAllowedError  the route exists, the method does not (405)
    │   └── TooLargeError          a body over the limit (413)
    ├── UpstreamError              the model server behind us (502, or the status it gave)
    │   └── UpstreamTimeoutError   it took longer than allowed (504)
    ├── ToolError                  a hosted tool (502)
    └── StoreError                 the response store (503)

Errors become answers in two places only: JSON with a status before the first event
(`adapter.asgi.app`), `error` + `response.failed` after it (`adapter.making`). Messages say what was
found and what was expected; they never hold keys, headers or user content.

Follows the error bodies of the OpenAI API: `{"error": {"message", "type", "param", "code"}}`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class AdapterError(Exception):
    """Anything this package raises on purpose.

    Args:
        message: what was found and what was expected, for the caller to read.
        code: machine-readable code of the OpenAI API, or None.
        param: path of the parameter at fault, such as `tools[2].type`, or None.
        status: HTTP status to answer with; the class has a default.
        type: OpenAI error type; the class has a default.
        headers: response headers that belong to the error, such as `retry-after`.
    """

    default_status: ClassVar[int] = 500
    default_type: ClassVar[str] = "server_error"
    default_code: ClassVar[str | None] = None

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        status: int | None = None,
        type: str | None = None,  # the wire's name
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code if code is not None else self.default_code
        self.param = param
        self.status = status if status is not None else self.default_status
        self.type = type if type is not None else self.default_type
        self.headers: Mapping[str, str] = headers or {}

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the HTTP answer: all four keys, always."""
        return {
            "error": {
                "message": self.message,
                "type": self.type,
                "param": self.param,
                "code": self.code,
            }
        }


class InvalidRequestError(AdapterError):
    """The client's request cannot be carried out as it stands."""

    default_status = 400
    default_type = "invalid_request_error"


class NotFoundError(InvalidRequestError):
    """No such route, response, conversation or item."""

    default_status = 404


class MethodNotAllowedError(InvalidRequestError):
    """The route exists, but not with this method."""

    default_status = 405


class TooLargeError(InvalidRequestError):
    """The request body is over the limit."""

    default_status = 413
    default_code = "request_too_large"


class UpstreamError(AdapterError):
    """The model server refused, failed, or sent what cannot be understood.

    Attributes:
        never_sent: it has not got a byte of the request.
        is_down: nobody was there, or nobody in time: another one may do better.
    """

    never_sent: bool = False
    is_down: bool = False
    default_status = 502
    default_code = "server_error"


class UpstreamTimeoutError(UpstreamError):
    """The model server took longer than allowed."""

    default_status = 504


class ToolError(AdapterError):
    """A hosted tool could not be listed or called."""

    default_status = 502
    default_code = "tool_error"


class StoreError(AdapterError):
    """The response store did not answer."""

    default_status = 503
    default_code = "store_error"
