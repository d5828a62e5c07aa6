"""What every script here shares: the gateway, two tools, and a word on each thing that went well."""

import json
import os

URL = os.environ["GATEWAY_URL"]
KEY = os.environ["GATEWAY_KEY"]
MODEL = os.environ["GATEWAY_MODEL"]

QUESTION = "What is the weather in Oslo?"
ANSWER = "It is clear in Oslo 🌤️, at 39 °F."
AGAIN = "Which city was it?"
ANSWER_AGAIN = "It was Oslo."
BOTH = "What is the weather in Oslo and Rome?"
ANSWER_BOTH = "Cold in Oslo, and cold in Rome."
AS_JSON = "Describe Oslo as JSON."

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
DEGREES = {
    "type": "object",
    "properties": {"celsius": {"type": "integer"}},
    "required": ["celsius"],
    "additionalProperties": False,
}


def weather(city: str) -> str:
    """The weather in a city."""
    return json.dumps({"city": city, "sky": "clear", "celsius": 4})


def fahrenheit(celsius: int) -> str:
    """Degrees Celsius in Fahrenheit."""
    return json.dumps({"fahrenheit": round(celsius * 9 / 5 + 32)})


TOOLS = {"weather": weather, "fahrenheit": fahrenheit}


def run_tool(name: str, arguments: dict) -> str:
    return TOOLS[name](**arguments)


def equal(found, wanted) -> None:
    if found != wanted:
        raise AssertionError(f"{found!r} is not {wanted!r}")


def true(fact, what: str) -> None:
    if not fact:
        raise AssertionError(what)


def version(of: str) -> None:
    print(f"version: {of}", flush=True)


def did(what: str) -> None:
    print(f"did: {what}", flush=True)
