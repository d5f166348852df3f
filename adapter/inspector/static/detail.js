// One request: its head, its figures and its tabs. It is drawn anew when more of it has come.

import * as api from "./api.js";
import { answer } from "./answer.js";
import { toCurl } from "./curl.js";
import { byId, copy, h, save, say, seconds } from "./dom.js";
import { Exchange } from "./exchange.js";
import { overview } from "./overview.js";
import { stream } from "./stream.js";
import { tabs } from "./tabs.js";
import { translation } from "./translation.js";

const VIEWS = { Overview: overview, Translation: translation, Stream: stream, Response: answer };

export class Detail {
  // Args: where to draw; `send` sends a request body and shows what comes of it; `edit` opens it in
  // the playground.
  constructor(main, { send, edit }) {
    this.main = main;
    this.send = send;
    this.edit = edit;
    this.id = null;
    this.exchange = null;
    this.view = "Overview";
    this.limit = stream.PAGE;
    this.isAsking = false;
    this.isStale = false;
  }

  async show(id) {
    if (this.id !== id) {
      this.id = id;
      this.exchange = null;
      this.limit = stream.PAGE;
    }
    await this.refresh();
  }

  close() {
    this.id = null;
  }

  // Asks for what is new, once at a time.
  async refresh() {
    if (this.isAsking) {
      this.isStale = true;
      return;
    }
    this.isAsking = true;
    try {
      do {
        this.isStale = false;
        await this.load();
      } while (this.isStale && this.id !== null);
    } finally {
      this.isAsking = false;
    }
  }

  async load() {
    const id = this.id;
    const known = this.exchange;
    try {
      const found = await api.detail(id, known?.next ?? 0);
      if (this.id !== id || this.exchange !== known) {
        this.isStale = this.id !== null;
        return;
      }
      this.exchange ??= new Exchange(found.summary);
      this.exchange.add(found);
      this.draw();
    } catch (error) {
      if (this.id === id) this.main.replaceChildren(h("p", { class: "faint" }, error.message));
    }
  }

  draw() {
    const { exchange } = this;
    const open = this.openPieces();
    const draw = VIEWS[this.view];
    const more = () => {
      this.limit += stream.PAGE;
      this.draw();
    };
    const focused = document.activeElement?.id;
    const panel = h(
      "div",
      { id: "panel", role: "tabpanel", "aria-labelledby": `tab-${this.view}` },
      ...draw(exchange, this.limit, more),
    );
    const choose = (name) => {
      this.view = name;
      this.draw();
    };
    this.main.replaceChildren(
      this.head(),
      this.figures(),
      tabs(Object.keys(VIEWS), this.view, choose),
      panel,
    );
    for (const [place, piece] of this.pieces().entries()) piece.open = open.has(place);
    if (focused && this.main.contains(byId(focused))) byId(focused).focus();
  }

  pieces() {
    return [...this.main.querySelectorAll("details")];
  }

  openPieces() {
    return new Set(this.pieces().flatMap((piece, place) => (piece.open ? [place] : [])));
  }

  head() {
    const { summary } = this.exchange;
    const started = new Date(summary.started_at * 1000).toLocaleTimeString();
    const what = [summary.model ?? "no model", summary.way, started];
    return h(
      "header",
      { class: "head" },
      h(
        "div",
        { class: "title" },
        h("h2", {}, summary.preview || summary.path),
        h("p", { class: "faint" }, h("span", { class: `state ${summary.state}` }, summary.state), ` · ${what.filter(Boolean).join(" · ")}`),
        summary.response_id ? h("p", { class: "id" }, summary.response_id) : null,
        summary.cut ? h("p", { class: "notice" }, "This request is longer than what is kept of one.") : null,
      ),
      this.tools(),
    );
  }

  tools() {
    const { exchange } = this;
    const { body } = exchange;
    const canSend = Boolean(body);
    const button = (text, onclick, disabled = false) =>
      h("button", { type: "button", id: `do-${text.split(" ")[0].toLowerCase()}`, onclick, disabled }, text);
    return h(
      "div",
      { class: "tools" },
      button("Replay", () => this.replay(), !canSend),
      button("Edit", () => this.edit(body), !canSend),
      button("Copy as curl", () => copy(toCurl(exchange, location.origin), "The command"), !canSend),
      button("Download transcript", () => this.download()),
    );
  }

  replay() {
    const { body, request, summary } = this.exchange;
    if (request.masked) {
      say("Its secrets were not kept: fill them in");
      this.edit(body);
    } else {
      this.send(body, { path: summary.way === "http" ? summary.path : "/v1/responses" });
    }
  }

  async download() {
    try {
      const { blob, name } = await api.transcript(this.id);
      save(blob, name);
    } catch (error) {
      say(error.message);
    }
  }

  figures() {
    const { exchange } = this;
    const { summary } = exchange;
    const rate = exchange.tokensPerSecond;
    const usage = summary.usage;
    const found = [
      ["First token", seconds(exchange.firstToken)],
      ["Tokens per second", rate ? rate.toFixed(rate < 10 ? 1 : 0) : "–"],
      ["Duration", seconds(summary.seconds)],
      ["Tokens in / out", usage ? `${usage.input_tokens} / ${usage.output_tokens}` : "–"],
      ["Upstream calls", String(summary.turns)],
      ["Dropped / adapted", `${summary.dropped} / ${summary.adapted}`],
    ];
    return h("dl", { class: "figures" }, ...found.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  }
}
