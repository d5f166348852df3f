// The list of requests, the newest first.

import { byId, h, seconds } from "./dom.js";

export class List {
  constructor() {
    this.summaries = new Map();
    this.rows = new Map();
    this.chosen = null;
    this.words = "";
    byId("filter").addEventListener("input", (event) => {
      this.words = event.target.value.toLowerCase();
      this.draw();
    });
  }

  replace(summaries) {
    this.summaries = new Map(summaries.map((summary) => [summary.id, summary]));
    this.rows.clear();
    this.draw();
  }

  put(summary) {
    this.summaries.set(summary.id, summary);
    this.rows.delete(summary.id);
    this.draw();
  }

  drop(id) {
    this.summaries.delete(id);
    this.rows.delete(id);
    this.draw();
  }

  choose(id) {
    this.chosen = id;
    this.rows.clear();
    this.draw();
  }

  find(requestId) {
    return [...this.summaries.values()].find((summary) => summary.request_id === requestId);
  }

  fits(summary) {
    const text = [summary.preview, summary.model, summary.state, summary.path].join(" ").toLowerCase();
    return this.words.split(/\s+/).every((word) => text.includes(word));
  }

  draw() {
    const list = byId("list");
    const focused = document.activeElement?.closest?.("#list li")?.dataset.id;
    const shown = [...this.summaries.values()].reverse().filter((summary) => this.fits(summary));
    list.replaceChildren(...shown.map((summary) => this.row(summary)));
    if (focused) list.querySelector(`li[data-id="${CSS.escape(focused)}"] a`)?.focus();
    const empty = byId("empty");
    empty.hidden = shown.length > 0;
    empty.textContent = this.summaries.size ? "None fits the filter." : "No requests yet.";
  }

  row(summary) {
    const known = this.rows.get(summary.id);
    if (known) return known;
    const changed = summary.dropped + summary.adapted;
    const about = [
      summary.model ?? summary.path,
      summary.turns > 1 ? `${summary.turns} calls` : null,
      changed ? `${changed} changed` : null,
    ];
    const row = h(
      "li",
      { "data-id": summary.id },
      h(
        "a",
        { href: `#/requests/${summary.id}`, "aria-current": summary.id === this.chosen ? "true" : null },
        h("span", { class: "text" }, summary.preview || summary.path),
        h("span", { class: `state ${summary.state}` }, summary.state),
        h("span", { class: "about" }, about.filter(Boolean).join(" · ")),
        h("span", { class: "about" }, summary.state === "running" ? "" : seconds(summary.seconds)),
      ),
    );
    this.rows.set(summary.id, row);
    return row;
  }
}
