"""Tools pass through to the engine, and its calls come back."""

import json

from support import ClientTest, chat

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city"],
        },
    },
}
REQUIRED = {"tools": [WEATHER], "tool_choice": "required", "max_tokens": 200}


class Tools(ClientTest):
    def assert_weather(self, name: str, arguments: str) -> None:
        self.assertEqual(name, "weather")
        self.assertIsInstance(json.loads(arguments)["city"], str)

    def test_required_tool_is_called(self):
        choice = chat(self.client, **REQUIRED).choices[0]
        self.assertEqual(choice.finish_reason, "tool_calls")
        (call,) = choice.message.tool_calls
        self.assertTrue(call.id)
        self.assert_weather(call.function.name, call.function.arguments)

    def test_named_tool_is_called(self):
        named = {"type": "function", "function": {"name": "weather"}}
        choice = chat(self.client, **(REQUIRED | {"tool_choice": named})).choices[0]
        self.assert_weather(choice.message.tool_calls[0].function.name, choice.message.tool_calls[0].function.arguments)

    def test_streamed_call_comes_together(self):
        names, arguments, ids, reason = [], "", [], None
        for chunk in chat(self.client, stream=True, **REQUIRED):
            if not chunk.choices:
                continue
            reason = chunk.choices[0].finish_reason or reason
            for call in chunk.choices[0].delta.tool_calls or []:
                self.assertEqual(call.index, 0)
                ids += [call.id] if call.id else []
                names += [call.function.name] if call.function.name else []
                arguments += call.function.arguments or ""
        self.assertEqual(reason, "tool_calls")
        self.assertEqual(len(set(ids)), 1)
        self.assert_weather("".join(names), arguments)

    def test_result_of_a_call_goes_back(self):
        call = chat(self.client, **REQUIRED).choices[0].message
        messages = [
            {"role": "user", "content": "Weather in Bern?"},
            call.model_dump(exclude_none=True),
            {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": '{"sky": "clear"}'},
        ]
        answer = chat(self.client, messages=messages, tools=[WEATHER], tool_choice="none").choices[0]
        self.assertTrue(answer.message.content)
        self.assertFalse(answer.message.tool_calls)
