// Stream an answer with the OpenAI SDK for Node (`npm install openai`).
//
// Prints:
//     I am a tiny test model.

import OpenAI from "openai";

const client = new OpenAI({
  baseURL: process.env.OPENAI_BASE_URL ?? "http://127.0.0.1:9000/v1",
  apiKey: process.env.OPENAI_API_KEY ?? "none",
});

const stream = client.responses.stream({
  model: process.env.MODEL ?? "tiny",
  input: "Who are you?",
  temperature: 0,
});
stream.on("response.output_text.delta", ({ delta }) => process.stdout.write(delta));
await stream.finalResponse();
process.stdout.write("\n");
