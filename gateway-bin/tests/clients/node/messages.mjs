// The AI SDK over Messages.

import { createAnthropic } from "@ai-sdk/anthropic";
import { converse, key, name, url, version } from "./conversation.mjs";

version("@ai-sdk/anthropic");
await converse(createAnthropic({ baseURL: `${url}/v1`, apiKey: key })(name), { reasons: true });
