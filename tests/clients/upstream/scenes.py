"""What every client is asked: text, tools, structured output, pictures, what was said before."""

import json
import re

from tests.clients.upstream.brain import Scene, Turn, all_text, images_of
from tests.clients.upstream.styles import Say

HELLO = "Say hello."
GREETING = "Hello from the model! Grüße 👋"
WEATHER = "What is the weather in Paris?"
COMPARE = "Compare the weather of Paris and Rome."
DESCRIBE = "Describe Paris as JSON."
PICTURE = "What is in the picture?"
REMEMBER = "Remember the word walnut."
RECALL = "Which word did I tell you?"

PARIS = {"city": "Paris", "degrees": 21}


def greet(turn: Turn) -> Say:
    return Say(GREETING, reasoning="They want a greeting.")


def weather(turn: Turn) -> Say:
    if turn.step:
        return Say(f"The weather: {turn.said}.", reasoning="Now I know.")
    return turn.call("get_weather", {"city": "Paris"})


def compare(turn: Turn) -> Say:
    if turn.step:
        return Say(f"The weather: {turn.said}.")
    return turn.calls(("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Rome"}))


def describe(turn: Turn) -> Say:
    """As JSON, if a format is asked for; else by the one tool that takes what is asked for."""
    if "response_format" in turn.body:
        return Say(json.dumps(PARIS), reasoning="As JSON.")
    fitting = [
        name
        for name, parameters in turn.tools.items()
        if parameters.get("properties", {}).keys() == PARIS.keys()
    ]
    return turn.call(fitting[0], PARIS) if fitting else Say("I was not asked for a format.")


def look(turn: Turn) -> Say:
    kinds = [url.partition(";")[0] for url in images_of(turn.body)]
    return Say(f"Pictures: {', '.join(kinds) or 'none'}.")


def remember(turn: Turn) -> Say:
    return Say("I will remember it.", reasoning="A word to keep.")


def recall(turn: Turn) -> Say:
    found = re.search(r"the word (?:was )?(\w+)", all_text(turn.body))
    return Say(f"It was {found[1]}." if found else "I do not know.")


COMMON_SCENES: dict[str, Scene] = {
    HELLO: greet,
    WEATHER: weather,
    COMPARE: compare,
    DESCRIBE: describe,
    PICTURE: look,
    REMEMBER: remember,
    RECALL: recall,
}
