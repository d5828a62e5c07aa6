// What every script here does with its model: the same conversations, whole and streamed.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Output, generateText, isStepCount, streamText, tool } from "ai";
import { z } from "zod";

export const { GATEWAY_URL: url, GATEWAY_KEY: key, GATEWAY_MODEL: name } = process.env;

const tools = {
  weather: tool({
    description: "The weather in a city",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => ({ city, sky: "clear", celsius: 4 }),
  }),
  fahrenheit: tool({
    description: "Degrees Celsius in Fahrenheit",
    inputSchema: z.object({ celsius: z.number().int() }),
    execute: async ({ celsius }) => ({ fahrenheit: Math.round((celsius * 9) / 5 + 32) }),
  }),
};
const shared = { tools, system: "Be brief.", maxRetries: 0, stopWhen: isStepCount(5) };

export function did(what) {
  console.log(`did: ${what}`);
}

/** Says the versions of `ai` and of the provider's package. */
export function version(provider) {
  const resolve = createRequire(import.meta.url).resolve;
  const of = (pack) => JSON.parse(readFileSync(resolve(`${pack}/package.json`))).version;
  console.log(`version: \`ai\` ${of("ai")}, \`${provider}\` ${of(provider)}`);
}

/** Two steps of tools, an answer, and a question that needs the first turn. `ask` gives text, steps and messages. */
async function conversation(ask) {
  const messages = [{ role: "user", content: "What is the weather in Oslo?" }];
  const first = await ask({ ...shared, messages });
  const called = first.steps.flatMap((step) => step.toolCalls.map((call) => call.toolName));
  assert.deepEqual(called, ["weather", "fahrenheit"]);
  assert.equal(first.text.trim(), "It is clear in Oslo 🌤️, at 39 °F.");
  assert.equal(first.finishReason, "stop");
  messages.push(...first.messages, { role: "user", content: "Which city was it?" });
  const second = await ask({ ...shared, messages });
  assert.equal(second.text.trim(), "It was Oslo.");
  return [...first.steps, ...second.steps];
}

async function whole(options) {
  const result = await generateText(options);
  return { ...plain(result), messages: result.responseMessages ?? result.response.messages };
}

async function streamed(options) {
  const failures = [];
  const result = streamText({ ...options, onError: ({ error }) => failures.push(error) });
  const kinds = new Set();
  for await (const part of result.fullStream) kinds.add(part.type);
  assert.deepEqual(failures, []);
  for (const kind of ["text-start", "text-delta", "text-end", "finish-step"]) assert.ok(kinds.has(kind), kind);
  const [text, steps, finishReason, response] = await Promise.all([
    result.text, result.steps, result.finishReason, result.response,
  ]);
  const messages = (await result.responseMessages) ?? response.messages;
  return { ...plain({ text, steps, finishReason }), messages };
}

function plain({ text, steps, finishReason }) {
  for (const step of steps) assert.ok(step.usage.outputTokens > 0, "usage is counted");
  return { text, steps, finishReason };
}

/** All conversations with `model`; `reasons` where its provider shows reasoning. */
export async function converse(model, { reasons, providerOptions } = {}) {
  const shows = (steps) => assert.equal(steps.some((step) => step.reasoningText), Boolean(reasons));
  shows(await conversation((options) => whole({ ...options, model, providerOptions })));
  did("two-step tool loop and a second turn");
  shows(await conversation((options) => streamed({ ...options, model, providerOptions })));
  did("the same streamed");
  const { output } = await generateText({
    model,
    maxRetries: 0,
    prompt: "Describe Oslo as JSON.",
    output: Output.object({ schema: z.object({ city: z.string(), celsius: z.number() }) }),
  });
  assert.deepEqual(output, { city: "Oslo", celsius: 4 });
  did("structured output");
}
