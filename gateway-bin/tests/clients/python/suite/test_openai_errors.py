"""Every failure is the exception that a user of the client expects."""

import socket

import openai
from support import ClientTest, chat, client, fault, setting


class Keys(ClientTest):
    def test_a_wrong_key_is_refused(self):
        with self.assertRaises(openai.AuthenticationError) as caught:
            chat(client(api_key="not-a-key"))
        self.assertEqual(caught.exception.status_code, 401)
        self.assertEqual(caught.exception.code, "invalid_api_key")
        self.assertTrue(caught.exception.request_id)

    def test_no_key_is_refused(self):
        with self.assertRaises(openai.AuthenticationError):
            chat(self.client, extra_headers={"Authorization": openai.Omit()})

    def test_a_wrong_key_lists_no_models(self):
        with self.assertRaises(openai.AuthenticationError):
            client(api_key="not-a-key").models.list()

    def test_a_key_is_taken_from_other_headers_too(self):
        for header in ("x-api-key", "api-key"):
            headers = {"Authorization": openai.Omit(), header: setting("GATEWAY_KEY")}
            with self.subTest(header):
                self.assertTrue(chat(self.client, extra_headers=headers).choices)

    def test_a_key_for_other_models_is_not_enough(self):
        with self.assertRaises(openai.PermissionDeniedError) as caught:
            chat(client(api_key=setting("GATEWAY_LIMITED_KEY")))
        self.assertEqual(caught.exception.status_code, 403)


class Requests(ClientTest):
    def assert_bad(self, param: str, **options) -> None:
        with self.assertRaises(openai.BadRequestError) as caught:
            chat(self.client, **options)
        self.assertEqual(caught.exception.status_code, 400)
        self.assertEqual(caught.exception.type, "invalid_request_error")
        self.assertEqual(caught.exception.param, param)

    def test_unknown_model(self):
        for stream in (False, True):
            with self.subTest(stream=stream), self.assertRaises(openai.NotFoundError) as caught:
                chat(self.client, model="no-such-model", stream=stream)
            self.assertEqual(caught.exception.code, "model_not_found")
            self.assertEqual(caught.exception.param, "model")

    def test_unknown_model_is_not_retrieved(self):
        with self.assertRaises(openai.NotFoundError):
            self.client.models.retrieve("no-such-model")

    def test_unknown_path(self):
        with self.assertRaises(openai.NotFoundError):
            self.client.post("/no/such/path", cast_to=object)

    def test_the_field_at_fault_is_named(self):
        self.assert_bad("messages", messages=7)
        self.assert_bad("model", model=None)
        self.assert_bad("stream", stream="yes")

    def test_a_prompt_over_the_limit(self):
        with self.assertRaises(openai.BadRequestError):
            chat(self.client, messages=[{"role": "user", "content": "word " * 200_000}])


class Engines(ClientTest):
    def setUp(self) -> None:
        super().setUp()
        self.faulty = {"model": setting("GATEWAY_FAULTY_MODEL")}

    def test_a_failing_engine(self):
        with fault(kind="error_500"), self.assertRaises(openai.InternalServerError) as caught:
            chat(self.client, **self.faulty)
        self.assertGreaterEqual(caught.exception.status_code, 500)
        self.assertTrue(caught.exception.code)
        self.assertTrue(caught.exception.request_id)

    def test_a_busy_engine(self):
        with fault(kind="busy_503"), self.assertRaises(openai.APIStatusError) as caught:
            chat(self.client, **self.faulty)
        self.assertIn(caught.exception.status_code, (429, 503))

    def test_a_stream_that_breaks_off_is_no_success(self):
        for kind in ("drop_stream", "error_chunk", "abort_stream"):
            with self.subTest(kind), fault(kind=kind, after_chunks=3), self.assertRaises(openai.APIError):
                for _ in chat(self.client, stream=True, max_tokens=50, **self.faulty):
                    pass

    def test_a_reply_that_breaks_off_is_no_success(self):
        with fault(kind="drop_stream"), self.assertRaises(openai.APIError):
            chat(self.client, **self.faulty)

    def test_an_engine_that_never_answers(self):
        hasty = client(timeout=0.5)
        with fault(kind="hang"), self.assertRaises(openai.APITimeoutError):
            chat(hasty, **self.faulty)


class Nobody(ClientTest):
    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        with self.assertRaises(openai.APIConnectionError):
            chat(client(base_url=f"http://127.0.0.1:{port}/v1"))
