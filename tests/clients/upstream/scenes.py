"""What every client is asked: text, tools, structured output, pictures, what was said before."""

import json
import re
from pathlib import Path

from tests.clients.upstream.brain import Scene, Turn, all_text, images_of
from tests.clients.upstream.saying import Say

DRIVERS = Path(__file__).parent.parent / "drivers"
PROMPTS: dict[str, str] = json.loads((DRIVERS / "prompts.json").read_text())
GREETING = "I am a strict model! Grüße 👋"
REFLECTION = "They want to know."
CITIES = ("Paris", "London")
PARIS = {"city": "Paris", "degrees": 21}


def greet(turn: Turn) -> Say:
    return Say(GREETING, reasoning=REFLECTION)


def weather(turn: Turn) -> Say:
    if turn.step:
        return Say(f"The weather: {turn.said}.", reasoning="Now I know.")
    return turn.call("get_weather", {"city": "Paris"})


def compare(turn: Turn) -> Say:
    if turn.step:
        return Say(f"The weather: {turn.said}.")
    return turn.calls(*(("get_weather", {"city": city}) for city in CITIES))


def weather_in_steps(turn: Turn) -> Say:
    if turn.step == len(CITIES):
        return Say(f"The weather: {turn.said}.")
    return turn.call("get_weather", {"city": CITIES[turn.step]})


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


def hand_over(turn: Turn) -> Say:
    if turn.step:
        return Say("The weather desk is here.")
    return turn.call("transfer_to_weather_desk", {})


def shell(turn: Turn) -> Say:
    if turn.step:
        return Say(f"It printed: {turn.said}")
    return turn.call("shell", {"commands": ["echo one", "echo two"]})


def edit(turn: Turn) -> Say:
    if turn.step:
        return Say(f"Edited: {turn.said}")
    operation = {"type": "update_file", "path": "a.txt", "diff": "@@\n-a\n+b\n"}
    return turn.call("apply_patch", operation)


def local_shell(turn: Turn) -> Say:
    if turn.step:
        return Say(f"It printed: {turn.said}")
    return turn.call("local_shell", {"command": ["echo", "one"]})


def click(turn: Turn) -> Say:
    """Click without saying with which button, as models do."""
    if turn.step:
        return Say(f"Pictures: {len(images_of(turn.body))}.")
    actions = [{"type": "click", "x": 3, "y": 4}, {"type": "screenshot"}]
    return turn.call("computer", {"actions": actions})


COMMON_SCENES: dict[str, Scene] = {
    PROMPTS["hello"]: greet,
    PROMPTS["weather"]: weather,
    PROMPTS["compare"]: compare,
    PROMPTS["steps"]: weather_in_steps,
    PROMPTS["describe"]: describe,
    PROMPTS["picture"]: look,
    PROMPTS["remember"]: remember,
    PROMPTS["recall"]: recall,
    PROMPTS["hand_over"]: hand_over,
    PROMPTS["shell"]: shell,
    PROMPTS["edit"]: edit,
    PROMPTS["local_shell"]: local_shell,
    PROMPTS["click"]: click,
}
