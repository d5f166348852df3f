"""Talk to a sidecar: one base URL for the Responses API and for all that the model server has.

Start one with `make run`, or in front of a server of your own:

    responses-adapter serve --upstream http://127.0.0.1:8000/v1 --port 9000

Prints:
    model: tiny
    responses: I am a tiny test model.
    chat completions: I am a tiny test model.
"""

import os

from openai import OpenAI

client = OpenAI(
    base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:9000/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "none"),
)
MODEL = os.environ.get("MODEL", "tiny")

for model in client.models.list():
    print("model:", model.id)

response = client.responses.create(model=MODEL, input="Who are you?", temperature=0)
print("responses:", response.output_text)

completion = client.chat.completions.create(
    model=MODEL, messages=[{"role": "user", "content": "Who are you?"}], temperature=0
)
print("chat completions:", completion.choices[0].message.content)
