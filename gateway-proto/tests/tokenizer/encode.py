"""Ids and texts by `transformers`: reads {"folders": [...], "texts": [...]}, writes one list per folder."""

import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

from transformers import PreTrainedTokenizerFast


def one(tokenizer, text):
    plain = tokenizer.encode(text, add_special_tokens=False)
    whole = tokenizer.encode(text, add_special_tokens=True)
    decode = lambda skip: tokenizer.decode(
        whole, skip_special_tokens=skip, clean_up_tokenization_spaces=False
    )
    return {"plain": plain, "whole": whole, "kept": decode(False), "skipped": decode(True)}


def main():
    order = json.load(sys.stdin)
    out = []
    for folder in order["folders"]:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
        out.append([one(tokenizer, text) for text in order["texts"]])
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main()
