// The AI SDK of Vercel, with either of its providers for Responses: `node ai_sdk.mjs openai`.

import { createOpenResponses } from "@ai-sdk/open-responses";
import { createOpenAI } from "@ai-sdk/openai";
import { Output, generateText, isStepCount, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

import { answer } from "./lines.mjs";
import { KEY, MODEL, PROMPTS, weather } from "./prompts.mjs";

const PROVIDERS = {
  openai: (url) => createOpenAI({ baseURL: url, apiKey: KEY })(MODEL),
  "open-responses": (url) =>
    createOpenResponses({ name: "adapter", url: `${url}/responses`, apiKey: KEY })(MODEL),
};
const model = PROVIDERS[process.argv[2]];
// Otherwise it sends references to items of earlier steps, which nothing here has stored.
const providerOptions = { openai: { store: false } };
const tools = {
  get_weather: tool({
    description: "Get the current weather in a city.",
    inputSchema: z.object({ city: z.string() }),
    execute: weather,
  }),
};

const ask = (url, more) =>
  generateText({ model: model(url), maxRetries: 0, providerOptions, ...more });
const loop = { tools, stopWhen: (isStepCount ?? stepCountIs)(4) };

async function stream(url, more) {
  const errors = [];
  const result = streamText({
    model: model(url),
    maxRetries: 0,
    providerOptions,
    onError: ({ error }) => errors.push(String(error)),
    ...more,
  });
  const pieces = [];
  for await (const piece of result.textStream) pieces.push(piece);
  if (errors.length) throw new Error(errors.join("; "));
  return { text: pieces.join(""), pieces: pieces.length, reason: await result.finishReason };
}

const own = createOpenAI({ apiKey: KEY }).tools;

/** Ask with tools that only OpenAI's provider has, in a stream and as a whole. */
async function askWith(url, prompt, more) {
  const given = { ...loop, prompt, tools: { ...tools, ...more } };
  const { text } = await ask(url, given);
  return { text, streamed: (await stream(url, given)).text };
}

const FAR = { serverLabel: "far", connectorId: "weather", requireApproval: "never" };

await answer({
  async mcp(url) {
    const given = { prompt: PROMPTS.compare, tools: { far: own.mcp(FAR) } };
    const { text } = await ask(url, given);
    return { text, streamed: (await stream(url, given)).text };
  },
  async text(url) {
    const { text, usage } = await ask(url, { prompt: PROMPTS.hello });
    return { text, tokens: usage.totalTokens };
  },
  stream: (url) => stream(url, { prompt: PROMPTS.hello }),
  async tools(url) {
    return { text: (await ask(url, { prompt: PROMPTS.weather, ...loop })).text };
  },
  async parallel_tools(url) {
    return { text: (await ask(url, { prompt: PROMPTS.compare, ...loop })).text };
  },
  async tools_in_steps(url) {
    return { text: (await ask(url, { prompt: PROMPTS.steps, ...loop })).text };
  },
  stream_tools: (url) => stream(url, { prompt: PROMPTS.compare, ...loop }),
  async structured(url) {
    const schema = z.object({ city: z.string(), degrees: z.number() });
    const output = Output.object({ schema });
    return { value: (await ask(url, { prompt: PROMPTS.describe, output })).output };
  },
  async image(url) {
    const content = [
      { type: "text", text: PROMPTS.picture },
      { type: "file", mediaType: "image/png", data: PROMPTS.image.split(",")[1] },
    ];
    return { text: (await ask(url, { messages: [{ role: "user", content }] })).text };
  },
  async conversation(url) {
    const messages = [{ role: "user", content: PROMPTS.remember }];
    const first = await ask(url, { messages });
    messages.push(...first.response.messages, { role: "user", content: PROMPTS.recall });
    return { text: (await ask(url, { messages })).text };
  },
  async stored_conversation(url) {
    const messages = [{ role: "user", content: PROMPTS.remember }];
    const stored = { providerOptions: {}, messages };
    const first = await ask(url, { ...stored, ...loop });
    messages.push(...first.response.messages, { role: "user", content: PROMPTS.steps });
    const tools = await ask(url, { ...stored, ...loop });
    messages.push(...tools.response.messages, { role: "user", content: PROMPTS.recall });
    return { text: (await stream(url, { ...stored, ...loop })).text, value: tools.text };
  },
  async chained(url) {
    const first = await ask(url, { prompt: PROMPTS.remember, providerOptions: {} });
    const previousResponseId = first.providerMetadata.openai.responseId;
    const providerOptions = { openai: { previousResponseId } };
    return { text: (await ask(url, { prompt: PROMPTS.recall, providerOptions })).text };
  },
  async forced_tool(url) {
    const toolChoice = { type: "tool", toolName: "get_weather" };
    const { toolCalls } = await ask(url, { prompt: PROMPTS.weather, tools, toolChoice });
    return { value: toolCalls.map(({ input }) => input) };
  },
  async picture_of_tool(url) {
    const value = [
      { type: "text", text: "Here." },
      { type: "image-data", mediaType: "image/png", data: PROMPTS.image.split(",")[1] },
    ];
    const view_image = tool({
      description: "Look at a picture.",
      inputSchema: z.object({ path: z.string() }),
      execute: () => "",
      toModelOutput: () => ({ type: "content", value }),
    });
    return { text: (await ask(url, { prompt: PROMPTS.view, ...loop, tools: { view_image } })).text };
  },
  hosted_tools: (url) => askWith(url, PROMPTS.weather, { web_search: own.webSearch({}) }),
  custom_tool(url) {
    const grammar = { type: "grammar", syntax: "regex", definition: "[\\s\\S]+" };
    const execute = (text) => `applied ${text.split("\n").length} lines`;
    const options = { name: "apply_patch", description: "Change files.", format: grammar, execute };
    return askWith(url, PROMPTS.patch, { apply_patch: own.customTool(options) });
  },
  local_shell(url) {
    const execute = ({ action }) => ({ output: action.command.join(" ") });
    return askWith(url, PROMPTS.local_shell, { local_shell: own.localShell({ execute }) });
  },
  shell(url) {
    const execute = ({ action }) => ({
      output: action.commands.map((command) => ({
        stdout: command,
        stderr: "",
        outcome: { type: "exit", exitCode: 0 },
      })),
    });
    return askWith(url, PROMPTS.shell, { shell: own.shell({ execute }) });
  },
  apply_patch(url) {
    const execute = ({ operation }) => ({
      status: "completed",
      output: `${operation.type} ${operation.path}`,
    });
    return askWith(url, PROMPTS.edit, { apply_patch: own.applyPatch({ execute }) });
  },
  async sealed_conversation(url) {
    const include = ["reasoning.encrypted_content"];
    const options = { store: false, include, reasoningSummary: "auto", forceReasoning: true };
    const sealed = { providerOptions: { openai: options } };
    const messages = [{ role: "user", content: PROMPTS.remember }];
    const first = await ask(url, { messages, ...sealed });
    messages.push(...first.response.messages, { role: "user", content: PROMPTS.recall });
    return { text: (await ask(url, { messages, ...sealed })).text };
  },
  async reasoning(url) {
    const { reasoningText } = await ask(url, {
      prompt: PROMPTS.hello,
      providerOptions: { openai: { store: false, reasoningSummary: "auto", forceReasoning: true } },
    });
    return { text: reasoningText };
  },
});
