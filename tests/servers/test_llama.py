"""The shared model server of the session is a real one."""

import httpx2


def test_model_server_of_the_session_answers(llama_url: str) -> None:
    answer = httpx2.get(f"{llama_url}/models", timeout=5)

    assert answer.json()["data"][0]["id"] == "tiny"
