// Ask with Vercel's AI SDK and its provider for Open Responses
// (`npm install ai @ai-sdk/open-responses`).
//
// Prints:
//     I am a tiny test model.

import { createOpenResponses } from "@ai-sdk/open-responses";
import { generateText } from "ai";

const baseUrl = process.env.OPENAI_BASE_URL ?? "http://127.0.0.1:9000/v1";
const adapter = createOpenResponses({
  name: "adapter",
  url: `${baseUrl}/responses`,
  apiKey: process.env.OPENAI_API_KEY ?? "none",
});

const { text } = await generateText({
  model: adapter(process.env.MODEL ?? "tiny"),
  temperature: 0,
  prompt: "Who are you?",
});
console.log(text);
