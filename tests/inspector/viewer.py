"""Who looks at what the inspector recorded, over HTTP, without a browser."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import httpx2

UI = "/adapter/ui"
API = f"{UI}/api"


class Viewer:
    """One viewer.

    Args:
        client: of the server.
        headers: to send with every request.
    """

    def __init__(
        self, client: httpx2.AsyncClient, headers: Mapping[str, str] | None = None
    ) -> None:
        self._client = client
        self._headers = headers

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self._client.get(f"{API}/{path}", headers={**(self._headers or {}), **headers})

    async def ask(self, **fields: Any) -> httpx2.Response:
        """Ask for a response, as a client."""
        body = {"model": "m", "input": "Hi", **fields}
        return await self._client.post("/v1/responses", json=body, headers=self._headers)

    async def detail(self, id: int = 1) -> dict[str, Any]:
        """Return what is shown of a request; the first has the number 1."""
        answer = await self.get(f"requests/{id}")
        assert answer.status_code == 200, answer.text
        detail: dict[str, Any] = answer.json()
        return detail

    async def files(self, id: int = 1) -> dict[str, bytes]:
        """Return the files of a request's transcript, by their names without the folder."""
        answer = await self.get(f"requests/{id}/transcript")
        assert answer.headers["content-type"] == "application/zip"
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            return {name.rpartition("/")[2]: archive.read(name) for name in archive.namelist()}


def kinds(detail: Mapping[str, Any]) -> list[str]:
    """Return the kinds of all entries, those that repeat once."""
    found: list[str] = []
    for entry in detail["entries"]:
        if found[-1:] != [entry["kind"]]:
            found.append(entry["kind"])
    return found


def joined(detail: Mapping[str, Any], kind: str) -> str:
    """Return what all entries of a kind hold together."""
    text = "".join(entry.get("data", "") for entry in detail["entries"] if entry["kind"] == kind)
    return text.encode("latin-1").decode()
