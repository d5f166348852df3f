"""Reads metrics as Prometheus does."""

from collections.abc import Mapping

import httpx2
from prometheus_client.parser import text_string_to_metric_families

PATH = "/adapter/metrics"
Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


class Scrape:
    """One answer.

    Args:
        text: of it.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float:
        """Return the sum of all samples of a name that have these labels; 0 if there are none."""
        name = f"responses_adapter_{name}"
        wanted = set(labels.items())
        return sum(
            value
            for (of, given), value in self._samples.items()
            if of == name and wanted <= set(given)
        )

    def labels(self, label: str) -> set[str]:
        """Return all values of a label of our metrics."""
        return {
            value
            for (of, given) in self._samples
            for name, value in given
            if name == label and of.startswith("responses_adapter_")
        }


async def scrape(client: httpx2.AsyncClient, **headers: str) -> Scrape:
    """Ask for the metrics."""
    answer = await client.get(PATH, headers=headers)
    assert answer.status_code == 200, answer.text
    return Scrape(answer.text)
