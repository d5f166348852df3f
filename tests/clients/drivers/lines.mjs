// How tests talk to a driver: one JSON object a line in, one a line out.
//
//   in   {"scene": "text", "url": "http://127.0.0.1:9000/v1"}
//   out  {"result": …}  or  {"error": "TypeError: …"}

import { createInterface } from "node:readline";

/** Answer every line until there are no more. */
export async function answer(scenes) {
  console.log = console.error; // what libraries print must not stand among the answers
  for await (const line of createInterface({ input: process.stdin })) {
    const { scene, url } = JSON.parse(line);
    let said;
    try {
      said = { result: await scenes[scene](url) };
    } catch (error) {
      said = { error: `${error?.name}: ${error?.message}`, stack: String(error?.stack) };
    }
    process.stdout.write(JSON.stringify(said) + "\n");
  }
  process.exit(0);
}
