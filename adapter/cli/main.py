"""The command and what belongs to all of its subcommands."""

import os

import click

from adapter._version import __version__
from adapter.cli.bench import bench
from adapter.cli.check_config import check_config
from adapter.cli.codex_config import codex_config
from adapter.cli.demo import demo
from adapter.cli.new_key import new_key
from adapter.cli.probe import probe
from adapter.cli.serve import serve
from adapter.cli.translate import translate
from adapter.config import SettingsError


class _Group(click.Group):
    """Shows errors of settings as errors of the command line, and no colours where none are wanted."""

    def invoke(self, ctx: click.Context) -> object:
        if os.environ.get("NO_COLOR"):  # https://no-color.org
            ctx.color = False
        try:
            return super().invoke(ctx)
        except SettingsError as exc:
            raise click.UsageError(str(exc)) from exc


# What people type first.
_EXAMPLES = """\b
Begin with:
  responses-adapter demo                                         a toy model, to try it
  responses-adapter serve --upstream http://127.0.0.1:8000/v1    before your model server
  responses-adapter codex-config --help                          for Codex
"""


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EXAMPLES,
)
@click.version_option(__version__, prog_name="responses-adapter")
def main() -> None:
    """Make any chat-completions server speak the OpenAI Responses API."""


main.add_command(serve)
main.add_command(demo)
main.add_command(probe)
main.add_command(codex_config)
main.add_command(new_key)
main.add_command(translate)
main.add_command(check_config)
main.add_command(bench)
