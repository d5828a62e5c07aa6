// The AI SDK over Responses.

import { createOpenAI } from "@ai-sdk/openai";
import { converse, key, name, url, version } from "./conversation.mjs";

version("@ai-sdk/openai");
const model = createOpenAI({ baseURL: `${url}/v1`, apiKey: key }).responses(name);
await converse(model, { providerOptions: { openai: { store: false } } });
