"""`responses-adapter demo`: the adapter on an embedded model server, to try it at once."""

from contextlib import ExitStack

import click

from adapter.cli.ports import check_port
from adapter.cli.serve import DEFAULT_HOST, DEFAULT_PORT, run_server
from adapter.config import Settings
from adapter.errors import UpstreamError

_BANNER = """
The adapter serves the Responses API on http://{host}:{port}/v1, in front of llama.cpp with a toy
model of one million parameters. It knows a few dozen sentences and three tools; it is no real model.

Try, in another terminal:

  curl -N http://{host}:{port}/v1/responses -H 'content-type: application/json' \\
    -d '{{"model": "tiny", "input": "What is the capital of France?", "stream": true, "temperature": 0}}'

or, with `pip install openai`:

  from openai import OpenAI

  client = OpenAI(base_url="http://{host}:{port}/v1", api_key="none")
  response = client.responses.create(
      model="tiny",
      temperature=0,
      input="What is the weather in Paris?",
      tools=[{{
          "type": "function",
          "name": "get_weather",
          "description": "Get the current weather in a city.",
          "parameters": {{
              "type": "object",
              "properties": {{"city": {{"type": "string"}}}},
              "required": ["city"],
          }},
      }}],
  )
  print(response.output)

Ctrl-C stops both.
"""


@click.command(short_help="Serve a toy model through the adapter, to try it.")
@click.option("--host", default=DEFAULT_HOST, show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(1, 65535), help="Port."
)
@click.option("--ui", is_flag=True, help="Show requests as they are made: /adapter/ui/.")
def demo(host: str, port: int, ui: bool) -> None:
    """Serve an embedded toy model through the adapter, and print what to try."""
    from adapter.demo.llama import demo_upstream

    with ExitStack() as stack:
        try:
            url = stack.enter_context(demo_upstream())
        except (ModuleNotFoundError, UpstreamError) as exc:  # the extra is missing, or no start
            raise click.ClickException(str(exc)) from exc
        check_port(host, port)
        click.echo(_BANNER.format(host=host, port=port))
        settings = Settings.load(upstream=url, dialect="llama.cpp", store="memory:")
        run_server(settings, host=host, port=port, log_level="warning", ui=ui)
