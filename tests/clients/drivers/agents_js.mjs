// The OpenAI Agents SDK for JavaScript.

import { execFileSync } from "node:child_process";

import {
  Agent,
  OpenAIConversationsSession,
  OpenAIProvider,
  Runner,
  applyPatchTool,
  codeInterpreterTool,
  computerTool,
  handoff,
  hostedMcpTool,
  shellTool,
  startOpenAIConversationsSession,
  tool,
  webSearchTool,
} from "@openai/agents";
import OpenAI from "openai";
import { z } from "zod";

import { answer } from "./lines.mjs";
import { KEY, MODEL, PROMPTS, weather } from "./prompts.mjs";

const getWeather = tool({
  name: "get_weather",
  description: "Get the current weather in a city.",
  parameters: z.object({ city: z.string() }),
  execute: weather,
});

const runner = (url, more = {}) =>
  new Runner({
    model: MODEL,
    modelProvider: new OpenAIProvider({ baseURL: url, apiKey: KEY, useResponses: true, ...more }),
    tracingDisabled: true,
  });
const client = (url) => new OpenAI({ baseURL: url, apiKey: KEY, maxRetries: 0 });
const agent = (more = {}) => new Agent({ name: "Assistant", instructions: "Be brief.", ...more });

async function ask(url, prompt, more) {
  const result = await runner(url).run(agent(more), prompt);
  return { text: result.finalOutput };
}

async function stream(url, prompt, more) {
  const result = await runner(url).run(agent(more), prompt, { stream: true });
  const pieces = [];
  for await (const piece of result.toTextStream()) pieces.push(piece);
  await result.completed;
  return { text: result.finalOutput, pieces: pieces.length };
}

/** A computer that notes where it is clicked. */
function screen() {
  const clicks = [];
  const nothing = async () => {};
  const names = ["doubleClick", "drag", "keypress", "move", "scroll", "type", "wait"];
  return {
    environment: "ubuntu",
    dimensions: [100, 100],
    clicks,
    screenshot: async () => PROMPTS.image.split(",")[1],
    click: async (x, y, button) => clicks.push([x, y, button]),
    ...Object.fromEntries(names.map((name) => [name, nothing])),
  };
}

const HOSTED = [
  webSearchTool(),
  codeInterpreterTool(),
  hostedMcpTool({ serverLabel: "far", serverUrl: "http://127.0.0.1:9/mcp" }),
];

const shell = {
  async run({ commands }) {
    const output = commands.map((command) => ({
      stdout: execFileSync("sh", ["-c", command], { encoding: "utf8" }),
      stderr: "",
      outcome: { type: "exit", exitCode: 0 },
    }));
    return { output };
  },
};

/** A hosted server that the adapter's settings know. */
const farWeather = (requireApproval, onApproval) =>
  hostedMcpTool({ serverLabel: "far", connectorId: "weather", requireApproval, onApproval });
const approving = (approve) => farWeather("always", async () => ({ approve }));

await answer({
  mcp: (url) => ask(url, PROMPTS.compare, { tools: [farWeather("never")] }),
  mcp_stream: (url) => stream(url, PROMPTS.steps, { tools: [farWeather("never")] }),
  mcp_approved: (url) => ask(url, PROMPTS.weather, { tools: [approving(true)] }),
  mcp_refused: (url) => ask(url, PROMPTS.weather, { tools: [approving(false)] }),
  text: (url) => ask(url, PROMPTS.hello),
  stream: (url) => stream(url, PROMPTS.hello),
  tools: (url) => ask(url, PROMPTS.weather, { tools: [getWeather] }),
  parallel_tools: (url) => ask(url, PROMPTS.compare, { tools: [getWeather] }),
  tools_in_steps: (url) => ask(url, PROMPTS.steps, { tools: [getWeather] }),
  stream_tools: (url) => stream(url, PROMPTS.compare, { tools: [getWeather] }),
  async structured(url) {
    const outputType = z.object({ city: z.string(), degrees: z.number() });
    const result = await runner(url).run(agent({ outputType }), PROMPTS.describe);
    return { value: result.finalOutput };
  },
  image(url) {
    const content = [
      { type: "input_text", text: PROMPTS.picture },
      { type: "input_image", image: PROMPTS.image },
    ];
    return ask(url, [{ role: "user", content }]);
  },
  async conversation(url) {
    const first = await runner(url).run(agent(), PROMPTS.remember);
    return ask(url, [...first.history, { role: "user", content: PROMPTS.recall }]);
  },
  async chained(url) {
    const first = await runner(url).run(agent(), PROMPTS.remember);
    const previousResponseId = first.lastResponseId;
    const second = await runner(url).run(agent(), PROMPTS.recall, { previousResponseId });
    return { text: second.finalOutput };
  },
  async in_conversation(url) {
    const conversationId = await startOpenAIConversationsSession(client(url));
    const one = agent({ tools: [getWeather] });
    await runner(url).run(one, PROMPTS.remember, { conversationId });
    const tools = await runner(url).run(one, PROMPTS.steps, { conversationId });
    const last = await runner(url).run(one, PROMPTS.recall, { conversationId });
    return { text: last.finalOutput, value: tools.finalOutput };
  },
  async session(url) {
    const session = new OpenAIConversationsSession({ client: client(url) });
    const one = agent({ tools: [getWeather] });
    await runner(url).run(one, PROMPTS.remember, { session });
    const tools = await runner(url).run(one, PROMPTS.steps, { session });
    const last = await runner(url).run(one, PROMPTS.recall, { session });
    await session.clearSession();
    return { text: last.finalOutput, value: tools.finalOutput };
  },
  handoff(url) {
    const other = new Agent({ name: "weather_desk", handoffDescription: "Knows the weather." });
    return ask(url, PROMPTS.hand_over, { handoffs: [handoff(other)] });
  },
  shell: (url) => ask(url, PROMPTS.shell, { tools: [shellTool({ shell })] }),
  async apply_patch(url) {
    const seen = [];
    const note = async ({ type, path, diff }) => {
      seen.push([type, path, diff ?? ""]);
      return { status: "completed", output: `${type} ${path}` };
    };
    const editor = { createFile: note, updateFile: note, deleteFile: note };
    const { text } = await ask(url, PROMPTS.edit, {
      tools: [applyPatchTool({ editor, needsApproval: false })],
    });
    return { text, value: seen };
  },
  async computer(url) {
    const computer = screen();
    const { text } = await ask(url, PROMPTS.click, { tools: [computerTool({ computer })] });
    return { text, value: computer.clicks };
  },
  forced_tool: (url) =>
    ask(url, PROMPTS.weather, {
      tools: [getWeather],
      modelSettings: { toolChoice: "get_weather", parallelToolCalls: false },
    }),
  hosted_tools: (url) => ask(url, PROMPTS.weather, { tools: [...HOSTED, getWeather] }),
  async websocket(url) {
    const talking = runner(url, { useResponsesWebSocket: true });
    const result = await talking.run(agent({ tools: [getWeather] }), PROMPTS.steps);
    return { text: result.finalOutput };
  },
});
