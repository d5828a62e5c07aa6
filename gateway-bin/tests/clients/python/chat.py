"""The OpenAI client: chat and completions."""

import json

import openai
from openai import OpenAI
from pydantic import BaseModel
from steps import (
    AGAIN, ANSWER, ANSWER_AGAIN, ANSWER_BOTH, AS_JSON, BOTH, CITY, DEGREES, KEY, MODEL, QUESTION, TOOLS, URL,
    did, equal, run_tool, true, version,
)

SCHEMAS = {"weather": CITY, "fahrenheit": DEGREES}
FUNCTIONS = [
    {
        "type": "function",
        "function": {"name": name, "description": tool.__doc__, "parameters": SCHEMAS[name], "strict": True},
    }
    for name, tool in TOOLS.items()
]


class Place(BaseModel):
    city: str
    celsius: int


def loop(ask, messages: list) -> list:
    """Asks and runs tools until there is nothing to run; every answer."""
    answers = []
    while True:
        answer = ask(messages)
        choice = answer.choices[0]
        answers.append(choice.message)
        messages.append(choice.message.model_dump(exclude_none=True, exclude={"parsed", "reasoning_content"}))
        calls = choice.message.tool_calls or []
        equal(choice.finish_reason, "tool_calls" if calls else "stop")
        true(answer.usage.completion_tokens > 0, "usage is counted")
        if not calls:
            return answers
        for call in calls:
            result = run_tool(call.function.name, json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


def conversation(ask) -> list:
    """Two steps of tools, an answer, and a question that needs the first turn; every answer."""
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]
    answers = loop(ask, messages)
    equal([call.function.name for answer in answers for call in answer.tool_calls or []], list(TOOLS))
    equal(answers[-1].content.strip(), ANSWER)
    messages.append({"role": "user", "content": AGAIN})
    answers += loop(ask, messages)
    equal(answers[-1].content.strip(), ANSWER_AGAIN)
    return answers


def whole(client: OpenAI) -> None:
    answers = conversation(lambda messages: client.chat.completions.create(model=MODEL, messages=messages, tools=FUNCTIONS))
    true("looked up" in answers[0].reasoning_content, "the reasoning stands apart")
    did("two-step tool loop and a second turn")


def streamed(client: OpenAI) -> None:
    seen = []

    def ask(messages):
        options = {"tools": FUNCTIONS, "stream_options": {"include_usage": True}}
        with client.chat.completions.stream(model=MODEL, messages=messages, **options) as stream:
            seen.extend(event.type for event in stream)
            return stream.get_final_completion()

    conversation(ask)
    for kind in ("content.delta", "content.done"):
        true(kind in seen, f"an event {kind}")
    equal(seen.count("tool_calls.function.arguments.done"), 2)
    did("the same streamed")


def parallel(client: OpenAI) -> None:
    answers = loop(
        lambda messages: client.chat.completions.create(model=MODEL, messages=messages, tools=FUNCTIONS),
        [{"role": "user", "content": BOTH}],
    )
    equal([json.loads(call.function.arguments)["city"] for call in answers[0].tool_calls], ["Oslo", "Rome"])
    equal(answers[-1].content, ANSWER_BOTH)
    did("parallel calls")


def structured(client: OpenAI) -> None:
    answer = client.chat.completions.parse(
        model=MODEL, messages=[{"role": "user", "content": AS_JSON}], response_format=Place
    )
    equal(answer.choices[0].message.parsed, Place(city="Oslo", celsius=4))
    did("structured output")


def completions(client: OpenAI) -> None:
    options = {"model": MODEL, "prompt": "Once upon a time", "max_tokens": 8, "temperature": 0, "seed": 1}
    answer = client.completions.create(**options)
    equal(answer.usage.completion_tokens, 8)
    chunks = client.completions.create(stream=True, **options)
    text = "".join(chunk.choices[0].text for chunk in chunks if chunk.choices)
    equal(text, answer.choices[0].text)
    did("completions, whole and streamed")


def main() -> None:
    client = OpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=0)
    version(openai.__version__)
    for step in (whole, streamed, parallel, structured, completions):
        step(client)


if __name__ == "__main__":
    main()
