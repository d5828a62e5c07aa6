"""A client that goes away stops the work on the engine."""

import asyncio
import contextlib
from collections.abc import Iterator

import openai
from support import ClientTest, async_client, chat, client, engine_metric, eventually

TOKENS = 3000
LONG = {"max_tokens": TOKENS, "extra_body": {"ignore_eos": True}}


def busy() -> bool:
    return engine_metric("vllm:num_requests_running", "vllm:num_requests_waiting") > 0


def idle() -> bool:
    return not busy()


def generated() -> float:
    return engine_metric("vllm:generation_tokens_total")


@contextlib.contextmanager
def abandoned() -> Iterator[None]:
    """A long request given up inside is dropped by its engine: it started, and made fewer tokens than were asked for."""
    eventually(idle, "the engines are idle before the test")
    before = generated()
    yield
    eventually(idle, "the engine drops the request")
    made = generated() - before
    if not 0 < made < TOKENS:
        raise AssertionError(f"the engine made {made:.0f} tokens of {TOKENS}")


class Cancel(ClientTest):
    def test_a_time_out_reaches_the_engine(self):
        with abandoned(), self.assertRaises(openai.APITimeoutError):
            chat(client(timeout=0.7), **LONG)

    def test_closing_a_stream_reaches_the_engine(self):
        with abandoned():
            stream = chat(self.client, stream=True, **LONG)
            for _, chunk in zip(range(4), stream):
                self.assertIsNone(chunk.choices[0].finish_reason)
            stream.close()


class AsyncCancel(ClientTest):
    def test_cancelling_a_task_reaches_the_engine(self):
        with abandoned():
            asyncio.run(self.begin_and_cancel())

    async def begin_and_cancel(self) -> None:
        before = generated()
        async with async_client() as client:
            task = asyncio.create_task(chat(client, **LONG))
            await asyncio.to_thread(eventually, lambda: generated() > before, "the engine works on the request")
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
