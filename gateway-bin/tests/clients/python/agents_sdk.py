"""The OpenAI Agents SDK: a loop of two tools over Responses and over chat."""

import asyncio
from importlib.metadata import version as version_of

from agents import (
    Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, SQLiteSession, function_tool, set_tracing_disabled,
)
from openai import AsyncOpenAI
from steps import AGAIN, ANSWER, ANSWER_AGAIN, KEY, MODEL, QUESTION, TOOLS, URL, did, equal, true, version


def agent(model) -> Agent:
    return Agent(
        name="Forecaster",
        instructions="Be brief.",
        model=model,
        tools=[function_tool(tool) for tool in TOOLS.values()],
    )


async def whole(forecaster: Agent, api: str) -> None:
    result = await Runner.run(forecaster, QUESTION)
    equal(result.final_output.strip(), ANSWER)
    equal(len(result.raw_responses), 3)
    again = await Runner.run(forecaster, [*result.to_input_list(), {"role": "user", "content": AGAIN}])
    equal(again.final_output.strip(), ANSWER_AGAIN)
    did(f"two-step tool loop and a second turn over {api}")


async def streamed(forecaster: Agent, api: str) -> None:
    session = SQLiteSession(api)
    result = Runner.run_streamed(forecaster, QUESTION, session=session)
    names = [event.name async for event in result.stream_events() if event.type == "run_item_stream_event"]
    equal(result.final_output.strip(), ANSWER)
    equal([names.count(name) for name in ("tool_called", "tool_output")], [2, 2])
    again = Runner.run_streamed(forecaster, AGAIN, session=session)
    true([event async for event in again.stream_events()], "events")
    equal(again.final_output.strip(), ANSWER_AGAIN)
    did(f"the same streamed over {api}, from a session")


async def main() -> None:
    set_tracing_disabled(True)
    client = AsyncOpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=0)
    version(version_of("openai-agents"))
    for api, kind in (("Responses", OpenAIResponsesModel), ("chat", OpenAIChatCompletionsModel)):
        forecaster = agent(kind(model=MODEL, openai_client=client))
        await whole(forecaster, api)
        await streamed(forecaster, api)


if __name__ == "__main__":
    asyncio.run(main())
