"""Reads GPT-OSS answers with openai-harmony: a JSON array of texts in, an array of messages per text out.

The one argument is the model's tokenizer.json, which holds the vocabulary in another form than the package wants.
"""

import base64
import json
import os
import sys
import tempfile


def vocabulary(tokenizer, folder):
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    byte_of = {chr(byte): byte for byte in printable}
    byte_of |= {chr(256 + place): byte for place, byte in enumerate(others)}
    with open(tokenizer, encoding="utf-8") as file:
        ids = json.load(file)["model"]["vocab"]
    with open(os.path.join(folder, "o200k_base.tiktoken"), "wb") as file:
        for token, id in sorted(ids.items(), key=lambda item: item[1]):
            raw = bytes(byte_of[char] for char in token)
            file.write(base64.b64encode(raw) + b" %d\n" % id)


def messages(encoding, text):
    parser = StreamableParser(encoding, role=Role.ASSISTANT)
    for token in encoding.encode(text, allowed_special="all"):
        parser.process(token)
    parser.process_eos()
    return [
        {
            "channel": message.channel,
            "recipient": message.recipient,
            "text": "".join(part.text for part in message.content),
        }
        for message in parser.messages
    ]


with tempfile.TemporaryDirectory() as folder:
    vocabulary(sys.argv[1], folder)
    os.environ["TIKTOKEN_ENCODINGS_BASE"] = folder
    from openai_harmony import (
        HarmonyEncodingName,
        Role,
        StreamableParser,
        load_harmony_encoding,
    )

    encoding = load_harmony_encoding(HarmonyEncodingName.HARMONY_GPT_OSS)
    texts = json.load(sys.stdin)
    json.dump([messages(encoding, text) for text in texts], sys.stdout)
