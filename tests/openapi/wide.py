"""The wide run of schemathesis: all its phases and checks, as many examples as wanted.

    python -m tests.openapi.wide [examples per operation, 200 by default] [seed, 1 by default]

Not part of the tests: it takes minutes. It ends with the exit code of schemathesis.
"""

import subprocess
import sys

from adapter import ResponsesAPI
from tests.servers.adapter import serve
from tests.servers.answers import text_answer
from tests.servers.scripted import scripted_upstream

# All that fits the document need not be accepted (see `checks`), and keys are for operators to ask for.
_LEFT_OUT = "positive_data_acceptance,negative_data_rejection,ignored_auth,missing_required_header"


def main() -> int:
    examples, seed, *_ = [*sys.argv[1:], *("200", "1")[len(sys.argv[1:]) :]]
    with scripted_upstream() as upstream:
        upstream.always(text_answer("Hello"))
        with serve(ResponsesAPI(upstream.url, store="memory:", environ={})) as url:
            command = [sys.executable, "-m", "schemathesis.cli", "run"]
            options = ["--max-examples", examples, "--seed", seed, "--exclude-checks", _LEFT_OUT]
            where = ["--exclude-path", "/models", "--url", f"{url}/v1"]
            document = f"{url}/v1/responses/openapi.json"
            return subprocess.run([*command, document, *options, *where], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
