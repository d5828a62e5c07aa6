// The AI SDK over chat completions.

import { createOpenAI } from "@ai-sdk/openai";
import { converse, key, name, url, version } from "./conversation.mjs";

version("@ai-sdk/openai");
await converse(createOpenAI({ baseURL: `${url}/v1`, apiKey: key }).chat(name));
