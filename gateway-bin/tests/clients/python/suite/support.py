"""What the tests talk to, and what they need to know of the engines behind it.

GATEWAY_URL             the gateway, without /v1
GATEWAY_KEY             a key for every model
GATEWAY_LIMITED_KEY     a key that may use no model of the two below
GATEWAY_MODEL           a model of well-behaved simulated engines
GATEWAY_ENGINES         their addresses, with commas between
GATEWAY_FAULTY_MODEL    a model of one simulated engine that faults are ordered from
GATEWAY_FAULTY_ENGINE   its address
"""

import contextlib
import json
import os
import time
import unittest
import urllib.request
from collections.abc import Callable, Iterator

import openai

PATIENCE = 30.0


def setting(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise RuntimeError(f"{name} is not set; see support.py")
    return value


def client(**options) -> openai.OpenAI:
    """A client that never retries by itself, so that a test sees the first answer."""
    return openai.OpenAI(**(defaults() | options))


def async_client(**options) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(**(defaults() | options))


def defaults() -> dict:
    return {
        "base_url": setting("GATEWAY_URL") + "/v1",
        "api_key": setting("GATEWAY_KEY"),
        "max_retries": 0,
        "timeout": PATIENCE,
    }


def engine_metric(*names: str) -> float:
    """The sum of these metrics over the well-behaved engines."""
    total = 0.0
    for engine in setting("GATEWAY_ENGINES").split(","):
        with urllib.request.urlopen(engine + "/metrics", timeout=PATIENCE) as page:
            for line in page.read().decode().splitlines():
                if line.split("{")[0] in names:
                    total += float(line.split()[-1])
    return total


def eventually(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"not within {PATIENCE:.0f} s: {what}")
        time.sleep(0.02)


@contextlib.contextmanager
def fault(**order) -> Iterator[None]:
    """The faulty engine misbehaves inside, and serves again after."""
    faults(order)
    try:
        yield
    finally:
        faults(None)
        eventually(faulty_model_answers, "the faulty model serves again")


def faults(order: dict | None) -> None:
    request = urllib.request.Request(
        setting("GATEWAY_FAULTY_ENGINE") + "/sim/faults",
        method="DELETE" if order is None else "POST",
        data=None if order is None else json.dumps(order).encode(),
        headers={"content-type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=PATIENCE).close()


def faulty_model_answers() -> bool:
    with contextlib.suppress(openai.APIError):
        chat(client(), model=setting("GATEWAY_FAULTY_MODEL"))
        return True
    return False


def chat(by, **options):
    """A short greedy chat, changed by `options`."""
    request = {
        "model": setting("GATEWAY_MODEL"),
        "messages": [{"role": "user", "content": "Say something about rivers."}],
        "max_tokens": 12,
        "temperature": 0,
    }
    return by.chat.completions.create(**(request | options))


def ready() -> bool:
    with contextlib.suppress(OSError):
        urllib.request.urlopen(setting("GATEWAY_URL") + "/ready", timeout=PATIENCE).close()
        return True
    return False


class ClientTest(unittest.TestCase):
    """A test with a client of its own, as soon as the gateway is ready."""

    @classmethod
    def setUpClass(cls) -> None:
        eventually(ready, "the gateway is ready")

    def setUp(self) -> None:
        self.client = client()
        self.addCleanup(self.client.close)
        self.model = setting("GATEWAY_MODEL")
