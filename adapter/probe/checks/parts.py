"""Which content parts it takes beyond text.

A part that is taken and yet makes the prompt no longer was dropped.
"""

import base64
from collections.abc import Sequence
from typing import Any

from adapter.probe.check import Check, Verdict, fine, met, refusal, unclear
from adapter.probe.known import SHORT, Known, user
from adapter.probe.reply import Question, Reply

_TEXT = {"type": "text", "text": "Hello"}

# A red square of 64 pixels: some models refuse what is smaller than one of their patches (Qwen-VL:
# 28 pixels).
_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAS0lEQVR42u3PQQkAAAgAsetfWiP4FgYrsKZeS0BAQEBA"
    "QEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEDgsqnc8OJg6Ln3AAAAAElFTkSuQmCC"
)
# One page with one line of text; the only kind of file that all services with files take.
_PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>> endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>> endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 50]/Contents 4 0 R\
/Resources<</Font<</F 5 0 R>>>>>> endobj
4 0 obj<</Length 46>>stream
BT/F 12 Tf 9 20 Td(The word is umbrella.)Tj ET
endstream endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>> endobj
xref
0 6
0000000000 65535 f \n\
0000000009 00000 n \n\
0000000053 00000 n \n\
0000000103 00000 n \n\
0000000212 00000 n \n\
0000000304 00000 n \n\
trailer<</Size 6/Root 1 0 R>>
startxref
366
%%EOF
"""


def _image() -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_PNG}"}}


def _file() -> dict[str, Any]:
    data = base64.b64encode(_PDF).decode()
    file = {"filename": "probe.pdf", "file_data": f"data:application/pdf;base64,{data}"}
    return {"type": "file", "file": file}


def _ask(known: Known, part: dict[str, Any]) -> Sequence[Question]:
    return [
        known.question(user([_TEXT]), limit=SHORT),
        known.question(user([_TEXT, part]), limit=SHORT),
    ]


def _judge(known: Known, replies: Sequence[Reply], kind: str) -> Verdict:
    without, reply = replies
    action = f"refuses a request with it, naming the part ({kind})"
    facts = {"parts": known.dialect.parts - {kind}}
    if reply.is_refused:
        return met(refusal(reply), action, **facts)
    if without.is_refused or without.usage is None or reply.usage is None:
        return unclear("taken, but whether the model sees it is not told")
    if reply.usage.input_tokens <= without.usage.input_tokens:
        return met("taken, but left out of the prompt", action, **facts)
    return fine("taken", parts=known.dialect.parts | {kind})


PARTS = (
    Check(
        "image part",
        lambda known: _ask(known, _image()),
        lambda known, replies: _judge(known, replies, "image_url"),
    ),
    Check(
        "file part",
        lambda known: _ask(known, _file()),
        lambda known, replies: _judge(known, replies, "file"),
    ),
)
