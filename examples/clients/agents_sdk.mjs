// Run an agent of the OpenAI Agents SDK for JavaScript (`npm install @openai/agents zod`).
//
// Prints:
//     The weather in Paris is sunny. The weather in London is rainy.

import { Agent, OpenAIProvider, Runner, tool } from "@openai/agents";
import { z } from "zod";

const runner = new Runner({
  modelProvider: new OpenAIProvider({
    baseURL: process.env.OPENAI_BASE_URL ?? "http://127.0.0.1:9000/v1",
    apiKey: process.env.OPENAI_API_KEY ?? "none",
    useResponses: true,
  }),
  tracingDisabled: true, // otherwise it reports every run to OpenAI
});

const agent = new Agent({
  name: "Assistant",
  instructions: "Be brief.",
  model: process.env.MODEL ?? "tiny",
  modelSettings: { temperature: 0 },
  tools: [
    tool({
      name: "get_weather",
      description: "Get the current weather in a city.",
      parameters: z.object({ city: z.string() }),
      execute: ({ city }) => `It is ${city === "Paris" ? "sunny" : "rainy"} in ${city}.`,
    }),
  ],
});

const result = await runner.run(agent, "What is the weather in Paris and London?");
console.log(result.finalOutput);
