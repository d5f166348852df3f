"""What a server does with memory before it serves."""

import subprocess
import sys

SCRIPT = """
import gc
from adapter.cli.memory import tune_memory
tune_memory()
assert gc.get_freeze_count() > 0 and gc.get_threshold()[0] >= 10_000
if {is_linux}:
    import resource
    def faults():
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        bytes(200_000)
    before = faults()
    for _ in range(100):
        bytes(200_000)
    print(faults() - before)
"""


def test_bodies_that_come_and_go_take_no_new_pages() -> None:
    is_linux = sys.platform == "linux"
    script = SCRIPT.format(is_linux=is_linux)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout or 0) < 100  # without, it is 49 for each
