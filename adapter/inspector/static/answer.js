// What the client got in the end, and all headers.

import { h } from "./dom.js";
import { jsonView, textView } from "./json.js";

function headers(title, pairs) {
  if (!pairs?.length) return null;
  const lines = pairs.map(([name, value]) => `${name}: ${value}`).join("\n");
  return h("section", { class: "card" }, h("h3", {}, title), textView(lines));
}

export function answer(exchange) {
  const value = exchange.response;
  const shown = value ? jsonView(value) : h("p", { class: "faint" }, "There is none yet.");
  const { start, request, turns } = exchange;
  return [
    h(
      "section",
      { class: "card" },
      h("h3", {}, "Response", h("span", { class: "faint" }, start ? `HTTP ${start.status}` : "")),
      shown,
    ),
    h(
      "div",
      { class: "pair" },
      headers("Request headers", request?.headers),
      headers("Response headers", start?.headers),
      ...turns.map((turn) => headers(`Headers of upstream call ${turn.number}`, turn.headers)),
      ...turns.map((turn) => headers(`Headers of upstream answer ${turn.number}`, turn.answerHeaders)),
    ),
  ];
}
