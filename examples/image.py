"""Show the model a picture. This needs a model that sees, which the toy model of `make run` is not.

Such a model prints something like:
    A red square.
"""

import base64
import os
import struct
import zlib

from openai import OpenAI

client = OpenAI(
    base_url=os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:9000/v1"),
    api_key=os.environ.get("OPENAI_API_KEY", "none"),
)
MODEL = os.environ.get("MODEL", "tiny")


def red_square(size: int) -> bytes:
    """Return a PNG of `size` by `size` red pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\xff\0\0" * size) * size
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


picture = "data:image/png;base64," + base64.b64encode(red_square(64)).decode()
response = client.responses.create(
    model=MODEL,
    input=[
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "What is this? Answer in three words."},
                {"type": "input_image", "image_url": picture, "detail": "auto"},
            ],
        }
    ],
    temperature=0,
)
print(response.output_text)
