"""Figures are medians with their spread, set against the direct and the same-stack servers."""

from benchmarks.report import Figure, Measurement, format_table, summarise


def measurement(server: str, cpu_us: float, first_ms: float | None) -> Measurement:
    return Measurement(
        scenario="burst",
        server=server,
        unit="delta",
        cpu_us=cpu_us,
        first_event_p50_ms=first_ms,
        first_event_p99_ms=first_ms,
        first_delta_p50_ms=2 * first_ms if first_ms else None,
        first_delta_p99_ms=2 * first_ms if first_ms else None,
        stream_p50_ms=first_ms,
        events=1,
        errors={} if first_ms is not None else {"status 500": 2},
    )


def test_rows_hold_medians_ratios_and_added_times() -> None:
    rows = summarise(
        [
            measurement("direct", 1, 10),
            measurement("pass-through", 2, 11),
            measurement("adapter", 3, 14),
            measurement("direct", 1, 10),
            measurement("pass-through", 4, 13),
            measurement("adapter", 5, 12),
            measurement("adapter", 6, 13),
        ]
    )

    adapter = rows[-1]
    assert [row.server for row in rows] == ["direct", "pass-through", "adapter"]
    assert adapter.rounds == 3
    assert adapter.cpu_us == Figure(5, 3, 6)
    assert adapter.cpu_ratio == 5 / 3
    assert adapter.added_p50_ms == 3
    assert adapter.delta_p50_ms == 6


def test_server_that_only_fails_has_a_row_with_its_errors() -> None:
    (row,) = summarise([measurement("adapter", 3, None), measurement("adapter", 3, None)])

    assert row.first_event_p50_ms is None
    assert row.errors == {"status 500": 4}


def test_table_has_a_line_for_each_row_under_its_headings() -> None:
    rows = summarise([measurement("direct", 1234, 10), measurement("adapter", 0.5, None)])

    headings, direct, adapter = format_table(rows).splitlines()
    assert headings.split()[:2] == ["scenario", "server"]
    assert direct.split()[:4] == ["burst", "direct", "1234", "(1234-1234)"]
    assert adapter.endswith("2 status 500")
    assert len(direct) == len(headings)
