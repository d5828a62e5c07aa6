"""The Anthropic client: Messages."""

import anthropic
from anthropic import Anthropic, beta_tool
from pydantic import BaseModel
from steps import (
    AGAIN, ANSWER, ANSWER_AGAIN, ANSWER_BOTH, AS_JSON, BOTH, CITY, DEGREES, KEY, MODEL, QUESTION, TOOLS, URL,
    did, equal, run_tool, true, version,
)

SCHEMAS = {"weather": CITY, "fahrenheit": DEGREES}
OPTIONS = {
    "model": MODEL,
    "max_tokens": 4000,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "tools": [
        {"name": name, "description": tool.__doc__, "input_schema": SCHEMAS[name]} for name, tool in TOOLS.items()
    ],
}
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}}


class Place(BaseModel):
    city: str
    celsius: int


def said(message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def kinds(message) -> list[str]:
    return [block.type for block in message.content]


def loop(ask, messages: list) -> list:
    """Asks and runs tools until there is nothing to run; every answer."""
    answers = []
    while True:
        answer = ask(messages)
        answers.append(answer)
        messages.append({"role": "assistant", "content": answer.content})
        calls = [block for block in answer.content if block.type == "tool_use"]
        equal(answer.stop_reason, "tool_use" if calls else "end_turn")
        true(answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0, "usage is counted")
        if not calls:
            return answers
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": run_tool(call.name, call.input)} for call in calls
        ]
        messages.append({"role": "user", "content": results})


def conversation(ask) -> list:
    """Two steps of tools, an answer, and a question that needs the first turn; every answer."""
    messages = [{"role": "user", "content": QUESTION}]
    answers = loop(ask, messages)
    equal(len(answers), 3)
    equal([block.name for answer in answers for block in answer.content if block.type == "tool_use"], list(TOOLS))
    equal(said(answers[-1]), ANSWER)
    messages.append({"role": "user", "content": AGAIN})
    answers += loop(ask, messages)
    equal(said(answers[-1]), ANSWER_AGAIN)
    return answers


def whole(client: Anthropic) -> None:
    conversation(lambda messages: client.messages.create(messages=messages, **OPTIONS))
    did("two-step tool loop and a second turn")


def streamed(client: Anthropic) -> None:
    seen = []

    def ask(messages):
        with client.messages.stream(messages=messages, **OPTIONS, **THINKING) as stream:
            seen.extend(event.type for event in stream)
            return stream.get_final_message()

    answers = conversation(ask)
    equal(kinds(answers[0]), ["thinking", "text", "tool_use"])
    true(all(block.signature for answer in answers for block in answer.content if block.type == "thinking"), "signed")
    for kind in ("thinking", "text", "input_json", "signature", "message_stop"):
        true(kind in seen, f"an event {kind}")
    equal(seen.count("message_start"), 4)
    did("the same streamed, with thinking blocks that go back signed")


def parallel(client: Anthropic) -> None:
    answers = loop(
        lambda messages: client.messages.create(messages=messages, **OPTIONS), [{"role": "user", "content": BOTH}]
    )
    equal(kinds(answers[0])[-2:], ["tool_use", "tool_use"])
    equal(said(answers[-1]), ANSWER_BOTH)
    did("parallel calls")


def runner(client: Anthropic) -> None:
    tools = [beta_tool(tool) for tool in TOOLS.values()]
    options = OPTIONS | {"tools": tools}
    running = client.beta.messages.tool_runner(messages=[{"role": "user", "content": QUESTION}], stream=True, **options)
    last = None
    for stream in running:
        for _event in stream:
            pass
        last = stream.get_final_message()
    equal(said(last), ANSWER)
    did("tool runner, streamed")


def counted(client: Anthropic) -> None:
    asked = {"messages": [{"role": "user", "content": QUESTION}]} | {key: OPTIONS[key] for key in ("model", "system", "tools")}
    counted = client.messages.count_tokens(**asked)
    answer = client.messages.create(max_tokens=100, **asked)
    equal(counted.input_tokens, answer.usage.input_tokens + answer.usage.cache_read_input_tokens)
    did("count_tokens, which is what a message then uses")


def structured(client: Anthropic) -> None:
    answer = client.messages.parse(
        model=MODEL, max_tokens=200, messages=[{"role": "user", "content": AS_JSON}], output_format=Place
    )
    equal(answer.parsed_output, Place(city="Oslo", celsius=4))
    did("structured output")


def main() -> None:
    client = Anthropic(base_url=URL, api_key=KEY, max_retries=0)
    version(anthropic.__version__)
    for step in (whole, streamed, parallel, runner, counted, structured):
        step(client)


if __name__ == "__main__":
    main()
