// Stream an answer, and the tools on the way to it, with Vercel's AI SDK
// (`npm install ai @ai-sdk/openai zod`).
//
// Prints:
//     The weather in Paris is sunny. The weather in London is rainy.

import { createOpenAI } from "@ai-sdk/openai";
import { stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const openai = createOpenAI({
  baseURL: process.env.OPENAI_BASE_URL ?? "http://127.0.0.1:9000/v1",
  apiKey: process.env.OPENAI_API_KEY ?? "none",
});

const { textStream } = streamText({
  model: openai(process.env.MODEL ?? "tiny"),
  temperature: 0,
  // Send earlier steps whole, not as references to what the server would have to store.
  providerOptions: { openai: { store: false } },
  prompt: "What is the weather in Paris and London?",
  stopWhen: stepCountIs(5),
  tools: {
    get_weather: tool({
      description: "Get the current weather in a city.",
      inputSchema: z.object({ city: z.string() }),
      execute: ({ city }) => `It is ${city === "Paris" ? "sunny" : "rainy"} in ${city}.`,
    }),
  },
});

for await (const piece of textStream) process.stdout.write(piece);
process.stdout.write("\n");
