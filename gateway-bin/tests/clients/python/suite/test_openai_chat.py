"""Chat completions: whole, streamed, asynchronous."""

import asyncio

from support import ClientTest, async_client, chat, setting


def text_of(chunks) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


class Chat(ClientTest):
    def test_whole_answer(self):
        answer = chat(self.client)
        self.assertEqual(answer.object, "chat.completion")
        self.assertEqual(answer.model, self.model)
        choice = answer.choices[0]
        self.assertEqual(choice.message.role, "assistant")
        self.assertTrue(choice.message.content)
        self.assertEqual(choice.finish_reason, "length")
        self.assertEqual(answer.usage.completion_tokens, 12)
        self.assertGreater(answer.usage.prompt_tokens, 0)
        self.assertEqual(answer.usage.total_tokens, answer.usage.prompt_tokens + 12)

    def test_greedy_answers_repeat(self):
        texts = {chat(self.client).choices[0].message.content for _ in range(6)}
        self.assertEqual(len(texts), 1)

    def test_stop_string(self):
        content = chat(self.client).choices[0].message.content
        stop = content.split()[len(content.split()) // 2]
        choice = chat(self.client, stop=[stop]).choices[0]
        self.assertEqual(choice.finish_reason, "stop")
        self.assertEqual(choice.message.content, content[: content.index(stop)])

    def test_fields_unknown_to_the_client_reach_the_engine(self):
        answer = chat(self.client, extra_body={"return_token_ids": True, "ignore_eos": True})
        self.assertEqual(len(answer.choices[0].model_extra["token_ids"]), 12)
        self.assertEqual(len(answer.model_extra["prompt_token_ids"]), answer.usage.prompt_tokens)

    def test_every_reply_has_a_request_id(self):
        given = {"X-Request-Id": "client-chosen-id"}
        raw = self.client.chat.completions.with_raw_response.create(
            model=self.model, messages=[{"role": "user", "content": "hi"}], max_tokens=1, extra_headers=given
        )
        self.assertEqual(raw.headers["x-request-id"], "client-chosen-id")
        first, second = chat(self.client)._request_id, chat(self.client)._request_id
        self.assertTrue(first and second)
        self.assertNotEqual(first, second)

    def test_a_conversation_in_many_languages(self):
        turns = ["Grüezi, wie gaht's?", "你好，世界", "emoji 🦀 \u0000 and \\ \"quotes\"", "שלום"]
        messages = [{"role": "system", "content": "Be brief."}]
        for turn in turns:
            messages.append({"role": "user", "content": turn})
            answer = chat(self.client, messages=messages)
            messages.append({"role": "assistant", "content": answer.choices[0].message.content})
        self.assertEqual(len(messages), 1 + 2 * len(turns))


class ChatStream(ClientTest):
    def test_stream_says_what_the_whole_answer_says(self):
        whole = chat(self.client).choices[0].message.content
        chunks = list(chat(self.client, stream=True))
        self.assertEqual(text_of(chunks), whole)
        self.assertGreater(len(chunks), 2)
        self.assertEqual({chunk.object for chunk in chunks}, {"chat.completion.chunk"})
        self.assertEqual(len({chunk.id for chunk in chunks}), 1)
        self.assertEqual(chunks[0].choices[0].delta.role, "assistant")
        reasons = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
        self.assertEqual(reasons[-1], "length")
        self.assertEqual(set(reasons[:-1]), {None})

    def test_usage_comes_last_when_asked_for(self):
        *chunks, last = chat(self.client, stream=True, stream_options={"include_usage": True})
        self.assertEqual(last.choices, [])
        self.assertEqual(last.usage.completion_tokens, 12)
        self.assertEqual(last.usage.total_tokens, last.usage.prompt_tokens + 12)
        self.assertTrue(all(chunk.usage is None for chunk in chunks))

    def test_no_usage_unless_asked_for(self):
        chunks = list(chat(self.client, stream=True))
        self.assertTrue(all(chunk.choices and chunk.usage is None for chunk in chunks))


class AsyncChat(ClientTest):
    def test_many_at_once(self):
        answers = asyncio.run(self.ask_many(40))
        # The same prompt gave the same text each time, streamed or not: no answer went to the wrong asker.
        self.assertEqual(answers, [answers[number % 5] for number in range(40)])
        self.assertEqual(len(set(answers)), 5)

    async def ask_many(self, count: int) -> list[str]:
        async with async_client() as client:

            async def ask(number: int) -> str:
                messages = [{"role": "user", "content": f"number {number % 5}"}]
                if number % 2:
                    return text_of([chunk async for chunk in await chat(client, messages=messages, stream=True)])
                return (await chat(client, messages=messages)).choices[0].message.content

            return await asyncio.gather(*(ask(number) for number in range(count)))


class Models(ClientTest):
    def test_list_and_retrieve(self):
        names = [model.id for model in self.client.models.list()]
        self.assertIn(self.model, names)
        self.assertIn(setting("GATEWAY_FAULTY_MODEL"), names)
        self.assertEqual(self.client.models.retrieve(self.model).id, self.model)
