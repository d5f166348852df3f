"""Fuzz one way in, or all of them after each other.

    python -m tests.fuzz.run TARGET [seconds, 60 by default] [options of libFuzzer]
    python -m tests.fuzz.run all [seconds for each]

What breaks is written to `crash-…` in the current directory, which is also how it is tried again:
`python -m tests.fuzz.run TARGET 0 crash-…`.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import atheris

SEEDS = Path(__file__).parent.parent / "transcripts"
# Files of the transcripts that are near to what a target reads.
_SEEDS = {
    "request": "*/*/request.json",
    "answer": "*/*/upstream.1.sse",
    "sse": "*/*/upstream.1.sse",
    "error": "*/*/upstream.1.json",
    "frame": "*/*/request.json",
}
_MAX_SEED_BYTES = 4000


def fuzz(target: str, seconds: str, *options: str) -> None:
    """Fuzz one target; does not return."""
    with atheris.instrument_imports(include=["adapter"]):
        from tests.fuzz.targets import TARGETS
    with tempfile.TemporaryDirectory() as folder:
        corpus = _corpus(target, Path(folder))
        tried = [option for option in options if not option.startswith("-")]
        limits = [] if tried else [f"-max_total_time={seconds}", "-max_len=8192", corpus]
        atheris.Setup(
            [sys.argv[0], *limits, "-timeout=10", "-rss_limit_mb=2048", *options], TARGETS[target]
        )
        atheris.Fuzz()


def _corpus(target: str, folder: Path) -> str:
    for number, path in enumerate(SEEDS.glob(_SEEDS.get(target, "-"))):
        seed = path.read_bytes()[:_MAX_SEED_BYTES]
        prefix = {"answer": b"\0\x40e", "sse": b"\0", "request": b"\0", "error": b"\0\0"}
        (folder / str(number)).write_bytes(prefix.get(target, b"") + seed)
    return str(folder)


def fuzz_all(seconds: str) -> int:
    """Fuzz every target in a process of its own; return how many broke."""
    from tests.fuzz.targets import TARGETS

    broken = 0
    for target in TARGETS:
        command = [sys.executable, "-m", "tests.fuzz.run", target, seconds]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        last = [line for line in done.stderr.splitlines() if line.startswith(("#", "Done"))][-1:]
        verdict = "broke" if done.returncode else "holds"
        sys.stdout.write(f"{target:10} {verdict}  {''.join(last)[:100]}\n")
        if done.returncode:
            broken += 1
            sys.stdout.write(done.stderr[-3000:])
    return broken


if __name__ == "__main__":
    target, seconds, *options = [*sys.argv[1:], *(["60"] if len(sys.argv) == 2 else [])]
    if target == "all":
        sys.exit(min(fuzz_all(seconds), 1))
    fuzz(target, seconds, *options)
