// The OpenAI SDK for Node.

import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";

import { answer } from "./lines.mjs";
import { KEY, MODEL, PROMPTS, weather } from "./prompts.mjs";

const TOOL = {
  type: "function",
  name: "get_weather",
  description: "Get the current weather in a city.",
  parameters: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
  strict: true,
};
const PLACE = z.object({ city: z.string(), degrees: z.number().int() });

const at = (url) => new OpenAI({ baseURL: url, apiKey: KEY, maxRetries: 0 });
const user = (content) => ({ role: "user", content });

/** Call tools until the model has nothing more to ask; `respond` makes one response. */
async function loop(prompt, respond) {
  const input = [user(prompt)];
  for (;;) {
    const response = await respond({ model: MODEL, input, tools: [TOOL], store: false });
    const calls = response.output.filter((item) => item.type === "function_call");
    if (calls.length === 0) return { text: response.output_text };
    input.push(...response.output);
    for (const call of calls) {
      const output = weather(JSON.parse(call.arguments));
      input.push({ type: "function_call_output", call_id: call.call_id, output });
    }
  }
}

const FAR = { type: "mcp", server_label: "far", connector_id: "weather" };

await answer({
  async mcp(url) {
    const tools = [{ ...FAR, require_approval: "never" }];
    const asked = { model: MODEL, input: PROMPTS.compare, tools, store: false };
    const streamed = await at(url).responses.stream(asked).finalResponse();
    return {
      text: streamed.output_text,
      kinds: streamed.output.map((item) => item.type).filter((type) => type !== "reasoning"),
    };
  },
  async mcp_approved(url) {
    const asked = { model: MODEL, tools: [FAR] };
    const first = await at(url).responses.create({ ...asked, input: PROMPTS.weather });
    const approvals = first.output
      .filter((item) => item.type === "mcp_approval_request")
      .map(({ id }) => ({
        type: "mcp_approval_response",
        approval_request_id: id,
        approve: true,
      }));
    const input = [user(PROMPTS.weather), ...first.output, ...approvals];
    const second = await at(url).responses.create({ ...asked, input });
    return { text: second.output_text };
  },
  async text(url) {
    const response = await at(url).responses.create({ model: MODEL, input: PROMPTS.hello });
    return { text: response.output_text, tokens: response.usage.total_tokens };
  },
  async stream(url) {
    const stream = await at(url).responses.create({
      model: MODEL,
      input: PROMPTS.hello,
      stream: true,
    });
    const pieces = [];
    for await (const event of stream)
      if (event.type === "response.output_text.delta") pieces.push(event.delta);
    return { text: pieces.join(""), pieces: pieces.length };
  },
  async stream_helper(url) {
    const stream = at(url).responses.stream({
      model: MODEL,
      input: PROMPTS.hello,
      reasoning: { summary: "auto" },
    });
    const seen = new Set();
    stream.on("event", (event) => seen.add(event.type));
    const response = await stream.finalResponse();
    return {
      text: response.output_text,
      thoughts: seen.has("response.reasoning_summary_text.delta"),
    };
  },
  tools: (url) => loop(PROMPTS.weather, (body) => at(url).responses.create(body)),
  parallel_tools: (url) => loop(PROMPTS.compare, (body) => at(url).responses.create(body)),
  tools_in_steps: (url) => loop(PROMPTS.steps, (body) => at(url).responses.create(body)),
  stream_tools: (url) =>
    loop(PROMPTS.compare, (body) => at(url).responses.stream(body).finalResponse()),
  async structured(url) {
    const response = await at(url).responses.parse({
      model: MODEL,
      input: PROMPTS.describe,
      text: { format: zodTextFormat(PLACE, "place") },
    });
    return { value: response.output_parsed };
  },
  async image(url) {
    const picture = { type: "input_image", image_url: PROMPTS.image, detail: "auto" };
    const content = [{ type: "input_text", text: PROMPTS.picture }, picture];
    const response = await at(url).responses.create({ model: MODEL, input: [user(content)] });
    return { text: response.output_text };
  },
  async conversation(url) {
    const input = [user(PROMPTS.remember)];
    const include = ["reasoning.encrypted_content"];
    const first = await at(url).responses.create({ model: MODEL, input, include, store: false });
    input.push(...first.output, user(PROMPTS.recall));
    const second = await at(url).responses.create({ model: MODEL, input, include, store: false });
    return { text: second.output_text };
  },
  async chained(url) {
    const { responses } = at(url);
    const first = await responses.create({ model: MODEL, input: PROMPTS.remember });
    const asked = { model: MODEL, input: PROMPTS.recall, previous_response_id: first.id };
    const second = await responses.stream(asked).finalResponse();
    const found = await responses.retrieve(second.id);
    const items = [];
    for await (const item of responses.inputItems.list(second.id)) items.push(item.type);
    await responses.delete(first.id);
    return { text: found.output_text, value: items };
  },
  async custom_tool(url) {
    const stream = at(url).responses.stream({
      model: MODEL,
      input: PROMPTS.patch,
      tools: [{ type: "custom", name: "apply_patch", description: "Change files." }],
    });
    const pieces = [];
    stream.on("response.custom_tool_call_input.delta", (event) => pieces.push(event.delta));
    const response = await stream.finalResponse();
    const call = response.output.find((item) => item.type === "custom_tool_call");
    return { text: call.input, same: pieces.join("") === call.input };
  },
  async refused(url) {
    try {
      await at(url).responses.create({ model: MODEL, input: [{ type: "no_such_item" }] });
      return { text: "no error" };
    } catch (error) {
      return { status: error.status, param: error.param, kind: error.constructor.name };
    }
  },
});
