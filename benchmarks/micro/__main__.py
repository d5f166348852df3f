"""Measure the pure stages with pyperf: `python -m benchmarks.micro [--fast] [-o FILE]`.

pyperf runs each in processes of its own, and tells how far they differ; `python -m pyperf
compare_to` compares two files.
"""

import pyperf

from benchmarks.micro.stages import stages


def main() -> None:
    runner = pyperf.Runner(program_args=("-m", "benchmarks.micro"))
    for stage in stages():
        name = f"{stage.name} (per {stage.unit})"
        runner.bench_func(name, stage.call, inner_loops=stage.units)


if __name__ == "__main__":
    main()
