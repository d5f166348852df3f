"""All that a run found, as it is kept in a file."""

from pathlib import Path
from typing import Self

import msgspec

from benchmarks.drift import Drift
from benchmarks.footprint import Footprint
from benchmarks.report import Measurement, Row


class Results(msgspec.Struct, frozen=True):
    """What a run found, as far as it looked for it."""

    rows: list[Row]
    measurements: list[Measurement]
    footprints: list[Footprint] = []
    import_seconds: float | None = None
    drifts: list[Drift] = []

    @classmethod
    def read(cls, file: Path) -> Self:
        return msgspec.json.decode(file.read_bytes(), type=cls)

    def write(self, file: Path) -> None:
        file.write_bytes(msgspec.json.format(msgspec.json.encode(self)))

    def row(self, scenario: str, server: str) -> Row | None:
        """Return what one server took in one scenario; None if that was not measured."""
        found = (row for row in self.rows if (row.scenario, row.server) == (scenario, server))
        return next(found, None)

    def footprint(self, server: str) -> Footprint | None:
        return next((each for each in self.footprints if each.server == server), None)

    def cpu_us(self, scenario: str, server: str) -> list[float]:
        """Return the CPU time of every round, in their order."""
        return [
            each.cpu_us
            for each in self.measurements
            if (each.scenario, each.server) == (scenario, server) and not each.errors
        ]
