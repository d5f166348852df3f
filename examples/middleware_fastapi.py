"""Add the Responses API to an app that serves chat completions itself; no network in between.

To serve the app: `uvicorn examples.middleware_fastapi:app`. Run as a program, it asks itself.

Prints:
    response.created
    response.in_progress
    response.output_item.added
    response.content_part.added
    response.output_text.delta 'You '
    response.output_text.delta 'said '
    response.output_text.delta 'Hello.'
    response.output_text.done
    response.content_part.done
    response.output_item.done
    response.completed
"""

import json
import os
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient
from openai import OpenAI

from adapter import ResponsesMiddleware

MODEL = os.environ.get("MODEL", "tiny")

app = FastAPI()
app.add_middleware(ResponsesMiddleware)


@app.post("/v1/chat/completions")
def complete(request: dict[str, Any]) -> StreamingResponse:
    """Stand for a model: say what was said."""

    def chunks() -> Iterator[str]:
        for words in ("You ", "said ", f"{request['messages'][-1]['content']}."):
            yield sse({"choices": [{"index": 0, "delta": {"content": words}}]})
        yield sse({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        yield "data: [DONE]\n\n"

    return StreamingResponse(chunks(), media_type="text/event-stream")


def sse(chunk: dict[str, Any]) -> str:
    return f"data: {json.dumps(chunk)}\n\n"


if __name__ == "__main__":
    with TestClient(app) as http:
        client = OpenAI(base_url="http://app/v1", api_key="none", http_client=http)
        for event in client.responses.create(model=MODEL, input="Hello", stream=True):
            if event.type == "response.output_text.delta":
                print(event.type, repr(event.delta))
            else:
                print(event.type)
