// What the strict upstream knows an answer to: the same for the drivers of both languages.

import { readFileSync } from "node:fs";

export const PROMPTS = JSON.parse(readFileSync(new URL("prompts.json", import.meta.url), "utf8"));
export const KEY = "key-of-the-client";
export const MODEL = "test-model";

/** The weather as every driver's tool tells it. */
export function weather({ city }) {
  return `It is sunny in ${city}.`;
}
