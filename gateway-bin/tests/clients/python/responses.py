"""The OpenAI client: Responses."""

import json

import openai
from openai import OpenAI
from pydantic import BaseModel
from steps import (
    AGAIN, ANSWER, ANSWER_AGAIN, ANSWER_BOTH, AS_JSON, BOTH, CITY, DEGREES, KEY, MODEL, QUESTION, TOOLS, URL,
    did, equal, run_tool, true, version,
)

SCHEMAS = {"weather": CITY, "fahrenheit": DEGREES}
OPTIONS = {
    "model": MODEL,
    "store": False,
    "instructions": "Be brief.",
    "tools": [
        {"type": "function", "name": name, "description": tool.__doc__, "parameters": SCHEMAS[name], "strict": True}
        for name, tool in TOOLS.items()
    ],
}


class Place(BaseModel):
    city: str
    celsius: int


def calls_of(response) -> list:
    return [item for item in response.output if item.type == "function_call"]


def loop(ask, items: list) -> list:
    """Asks and runs tools until there is nothing to run; every response."""
    responses = []
    while True:
        response = ask(items)
        responses.append(response)
        equal((response.status, response.error), ("completed", None))
        true(response.usage.output_tokens > 0, "usage is counted")
        items += [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in response.output]
        calls = calls_of(response)
        if not calls:
            return responses
        for call in calls:
            result = run_tool(call.name, json.loads(call.arguments))
            items.append({"type": "function_call_output", "call_id": call.call_id, "output": result})


def conversation(ask) -> list:
    """Two steps of tools, an answer, and a question that needs the first turn; every response."""
    items = [{"role": "user", "content": QUESTION}]
    responses = loop(ask, items)
    equal([call.name for response in responses for call in calls_of(response)], list(TOOLS))
    equal(responses[-1].output_text.strip(), ANSWER)
    items.append({"role": "user", "content": AGAIN})
    responses += loop(ask, items)
    equal(responses[-1].output_text.strip(), ANSWER_AGAIN)
    return responses


def whole(client: OpenAI) -> None:
    responses = conversation(lambda items: client.responses.create(input=items, **OPTIONS))
    equal([item.type for item in responses[0].output], ["reasoning", "message", "function_call"])
    did("two-step tool loop and a second turn, items sent back")


def streamed(client: OpenAI) -> None:
    seen = []

    def ask(items):
        with client.responses.stream(input=items, **OPTIONS) as stream:
            events = list(stream)
            equal([event.sequence_number for event in events], list(range(len(events))))
            seen.extend(event.type for event in events)
            return stream.get_final_response()

    conversation(ask)
    for kind in ("created", "in_progress", "completed"):
        equal(seen.count(f"response.{kind}"), 4)
    equal(seen.count("response.output_item.added"), seen.count("response.output_item.done"))
    equal(seen.count("response.function_call_arguments.done"), 2)
    did("the same streamed")


def parallel(client: OpenAI) -> None:
    responses = loop(lambda items: client.responses.create(input=items, **OPTIONS), [{"role": "user", "content": BOTH}])
    equal([json.loads(call.arguments)["city"] for call in calls_of(responses[0])], ["Oslo", "Rome"])
    equal(responses[-1].output_text, ANSWER_BOTH)
    did("parallel calls")


def structured(client: OpenAI) -> None:
    response = client.responses.parse(model=MODEL, store=False, input=AS_JSON, text_format=Place)
    equal(response.output_parsed, Place(city="Oslo", celsius=4))
    did("structured output")


def main() -> None:
    client = OpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=0)
    version(openai.__version__)
    for step in (whole, streamed, parallel, structured):
        step(client)


if __name__ == "__main__":
    main()
