// A request at a glance: its pictures, and what the model said.

import { h } from "./dom.js";
import { speed, timeline } from "./pictures.js";

function itemView(item) {
  const kind = item.type === "message" || item.type === "reasoning" ? item.type : "call";
  return h(
    "li",
    { class: kind },
    h("p", { class: "what" }, item.type, item.name ? ` · ${item.name}` : "", item.to === null ? " · open" : ""),
    item.text ? h("pre", { class: "said" }, item.text) : null,
  );
}

function items(exchange) {
  if (!exchange.items.length) return null;
  return h(
    "section",
    { class: "card" },
    h("h3", {}, "Items"),
    h("ol", { class: "items" }, ...exchange.items.map(itemView)),
  );
}

function errorView(exchange) {
  const error = exchange.summary.error;
  if (!error) return null;
  return h("p", { class: "notice" }, error.message ?? JSON.stringify(error));
}

export function overview(exchange) {
  const legend = h(
    "p",
    { class: "legend" },
    h("span", { class: "upstream" }, "upstream"),
    h("span", { class: "event" }, "events and calls"),
    h("span", { class: "message" }, "messages"),
    h("span", { class: "reasoning" }, "reasoning"),
  );
  return [
    errorView(exchange),
    h("section", { class: "card" }, h("h3", {}, "Timeline"), timeline(exchange), legend),
    exchange.deltas.length
      ? h("section", { class: "card" }, h("h3", {}, "Speed"), speed(exchange))
      : null,
    items(exchange),
  ];
}
