// Talking to the server. The key, if it asks for one, stays in this tab.

import { readEvents } from "./sse.js";

const KEY = "responses-adapter-key";
const base = new URL("api/", document.baseURI);

export const key = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (value) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
};

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const credentials = () => (key.get() ? { authorization: `Bearer ${key.get()}` } : {});

async function ask(path, options = {}) {
  const answer = await fetch(new URL(path, base), { headers: credentials(), ...options });
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, body.error?.message ?? `The server says ${answer.status}.`);
}

export const about = async () => (await ask("about")).json();
export const forgetAll = () => ask("requests", { method: "DELETE" });
export const detail = async (id, after) => (await ask(`requests/${id}?after=${after}`)).json();

export async function transcript(id) {
  const answer = await ask(`requests/${id}/transcript`);
  const name = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "");
  return { blob: await answer.blob(), name: name ? name[1] : `request-${id}.zip` };
}

// Calls `tell` with (name, data) of whatever changes, until the feed ends.
export async function feed(tell) {
  const answer = await ask("feed");
  for await (const event of readEvents(answer.body)) tell(event.name, JSON.parse(event.data));
}

// Sends a request as a client would, and reads its answer to the end. A key that was typed in for
// this request goes before the one of the page.
export async function send(body, { path = "/v1/responses", requestId, authorization } = {}) {
  const headers = { "content-type": "application/json", ...credentials() };
  if (requestId) headers["x-request-id"] = requestId;
  if (authorization) headers.authorization = `Bearer ${authorization}`;
  const answer = await fetch(path, { method: "POST", headers, body });
  const reader = answer.body.getReader();
  while (!(await reader.read()).done);
  return answer.status;
}

export async function models() {
  const answer = await fetch("/v1/models", { headers: credentials() });
  if (!answer.ok) return [];
  return ((await answer.json()).data ?? []).map((model) => model.id);
}
