"""Ids: of OpenAI's form, and never the same, in a forked process neither."""

import os
import re

import pytest

from adapter.asgi.ids import NewIds


@pytest.mark.parametrize(("prefix", "digits"), [("resp", 48), ("msg", 48), ("call", 24)])
def test_id_is_its_prefix_and_hex_digits(prefix: str, digits: int) -> None:
    assert re.fullmatch(f"{prefix}_[0-9a-f]{{{digits}}}", NewIds()(prefix))


def test_ids_are_different_however_many_there_are() -> None:
    new_id = NewIds()
    ids = [new_id(prefix) for prefix in ("resp", "call") * 1000]

    assert len(set(ids)) == len(ids)


def test_forked_process_says_other_ids() -> None:
    new_id = NewIds()
    new_id("resp")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, new_id("resp").encode())
        os._exit(0)
    os.waitpid(child, 0)
    said = os.read(reading, 100).decode()
    os.close(reading)
    os.close(writing)

    assert said.startswith("resp_")
    assert said != new_id("resp")
