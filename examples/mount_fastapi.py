"""Mount the Responses API in an app of your own, beside its own routes.

The base URL is that of any chat-completions server (`make run` passes those requests through).
To serve the app: `uvicorn examples.mount_fastapi:app`. Run as a program, it asks itself, in process.

Prints:
    {'status': 'fine'}
    The capital of France is **Paris**.
"""

import os

from fastapi import FastAPI
from fastapi.testclient import TestClient
from openai import OpenAI

from adapter import ResponsesAPI

UPSTREAM = os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:9000/v1")
MODEL = os.environ.get("MODEL", "tiny")

responses = ResponsesAPI(UPSTREAM)
app = FastAPI(lifespan=lambda app: responses)  # closes the connections with the app


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "fine"}


app.mount("/v1", responses)  # POST /v1/responses

if __name__ == "__main__":
    with TestClient(app) as http:
        print(http.get("/health").json())
        client = OpenAI(base_url="http://app/v1", api_key="none", http_client=http)
        response = client.responses.create(
            model=MODEL, input="What is the capital of France?", temperature=0
        )
        print(response.output_text)
