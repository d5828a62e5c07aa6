"""Renders every case over every template with `transformers` and prints what came out as one JSON object.

    reference.py TEMPLATES_FOLDER CASES_FILE

Before a conversation is rendered it is written down in the form that the template understands, by the rules of the
gateway: the same small conversations are tried, here with Jinja itself.
"""

import copy
import json
import logging
import os
import sys
from datetime import datetime as real_datetime
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
logging.disable(logging.WARNING)

import jinja2  # noqa: E402
from transformers.utils import chat_template_utils as templates  # noqa: E402

NOW = real_datetime(2024, 2, 29, 13, 5, 9)
TOKENS = {
    "bos_token": "<|bos|>",
    "eos_token": "<|eos|>",
    "pad_token": "<|pad|>",
    "unk_token": "<|unk|>",
}
SAID = "Quokka7Marmalade"
ARGUMENTS = '{"key": "Zephyr3Lantern"}'


class FixedTime:
    @staticmethod
    def now():
        return NOW


templates.datetime = FixedTime


def render(source, messages, tools=None, documents=None, kwargs=None, open_turn=True, resume=False):
    rendered, _ = templates.render_jinja_template(
        conversations=[messages],
        tools=tools or None,
        documents=documents,
        chat_template=source,
        continue_final_message=resume,
        add_generation_prompt=open_turn and not resume,
        **{**TOKENS, **(kwargs or {})},
    )
    return rendered[0]


def attempt(source, messages):
    try:
        return render(source, messages)
    except Exception:
        return None


def shape_of(source):
    """How contents, missing contents and arguments are written down for a template."""
    text = attempt(source, [{"role": "user", "content": SAID}])
    takes_text = text is not None and SAID in text
    part = {"type": "text", "text": SAID}
    parts = attempt(source, [{"role": "user", "content": [part]}])
    dumped = parts is None or "'text'" in parts or '"text"' in parts
    takes_parts = not dumped and SAID in parts
    shape = {
        "text_as_parts": not takes_text and takes_parts,
        "parts_as_text": takes_text and not takes_parts,
        "arguments_as_text": False,
        "null_as_empty": False,
    }

    def call(content, **changes):
        call = {
            "id": "call00001",
            "type": "function",
            "function": {"name": "pangolin_lookup", "arguments": ARGUMENTS},
        }
        messages = [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": content, "tool_calls": [call]},
        ]
        return attempt(source, written(messages, {**shape, **changes}))

    as_object, as_text = call(""), call("", arguments_as_text=True)
    shape["arguments_as_text"] = as_object is None and as_text is not None
    null, empty = call(None), call(None, null_as_empty=True)
    is_good = [prompt is not None and "None" not in prompt for prompt in (null, empty)]
    shape["null_as_empty"] = not is_good[0] and is_good[1]
    return shape


def written(messages, shape):
    """A conversation in the form of `shape`."""
    messages = copy.deepcopy(messages)
    for message in messages:
        content = message.get("content")
        if content is None and shape["null_as_empty"]:
            message["content"] = ""
        elif isinstance(content, str) and shape["text_as_parts"]:
            message["content"] = [{"type": "text", "text": content}]
        elif isinstance(content, list) and shape["parts_as_text"]:
            if all(part["type"] == "text" for part in content):
                message["content"] = "\n".join(part["text"] for part in content)
        for call in message.get("tool_calls", []):
            function = call["function"]
            if not shape["arguments_as_text"]:
                try:
                    parsed = json.loads(function["arguments"])
                except ValueError:
                    continue
                if isinstance(parsed, dict):
                    function["arguments"] = parsed
    return messages


def outcome(source, shape, case):
    try:
        prompt = render(
            source,
            written(case["messages"], shape),
            case.get("tools"),
            case.get("documents"),
            case.get("kwargs"),
            case.get("add_generation_prompt", True),
            case.get("continue_final_message", False),
        )
        return {"prompt": prompt}
    except jinja2.exceptions.TemplateError as error:
        if type(error) is jinja2.exceptions.TemplateError:
            return {"raised": error.message or ""}
        return {"failed": repr(error)}
    except Exception as error:
        return {"failed": repr(error)}


def main():
    folder, cases = sys.argv[1:]
    cases = json.loads(Path(cases).read_text(encoding="utf-8"))
    answers = {}
    for path in sorted(Path(folder).glob("*.jinja")):
        source = path.read_text(encoding="utf-8")
        shape = shape_of(source)
        outcomes = {case["name"]: outcome(source, shape, case) for case in cases}
        answers[path.name] = {"shape": shape, "outcomes": outcomes}
    json.dump(answers, sys.stdout, ensure_ascii=True)


main()
