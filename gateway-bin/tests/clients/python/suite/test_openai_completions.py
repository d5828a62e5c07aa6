"""Completions of text and of token ids."""

from support import ClientTest


class Completions(ClientTest):
    def complete(self, **options):
        request = {"model": self.model, "prompt": "Once upon a time", "max_tokens": 8, "temperature": 0}
        return self.client.completions.create(**(request | options))

    def test_text(self):
        answer = self.complete()
        self.assertEqual(answer.object, "text_completion")
        self.assertTrue(answer.choices[0].text)
        self.assertEqual(answer.choices[0].finish_reason, "length")
        self.assertEqual(answer.usage.completion_tokens, 8)

    def test_token_ids_say_what_their_text_says(self):
        by_text = self.complete(extra_body={"return_token_ids": True})
        ids = by_text.choices[0].model_extra["prompt_token_ids"]
        by_ids = self.complete(prompt=ids)
        self.assertEqual(by_ids.usage.prompt_tokens, len(ids))
        self.assertEqual(by_ids.choices[0].text, by_text.choices[0].text)

    def test_several_prompts(self):
        answer = self.complete(prompt=["Once upon a time", "In the beginning"])
        self.assertEqual([choice.index for choice in answer.choices], [0, 1])
        self.assertEqual(answer.choices[0].text, self.complete().choices[0].text)

    def test_stream(self):
        *chunks, last = self.complete(stream=True, stream_options={"include_usage": True})
        self.assertEqual("".join(chunk.choices[0].text for chunk in chunks), self.complete().choices[0].text)
        self.assertEqual(chunks[-1].choices[0].finish_reason, "length")
        self.assertEqual(last.usage.completion_tokens, 8)
