// One request as the page knows it: built from its entries, which come in order and once each.

import { parseEvents } from "./sse.js";

const bytes = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));

const DELTA = /\.delta$/;

export class Exchange {
  constructor(summary) {
    this.summary = summary;
    this.next = 0;
    this.request = null; // { text, headers, masked }
    this.start = null; // { status, headers }
    this.turns = []; // { number, at, text, said, first, last, ended, status, error, … }
    this.log = []; // what the time axis shows: { at, kind, turn, text, events }
    this.items = []; // { index, type, name, from, to, text }
    this.deltas = []; // moments of delta events
    this.text = ""; // of the answer, if it is no stream
    this.response = null; // the last that an event carried, or the document
    this.decoders = new Map();
  }

  add(detail) {
    this.summary = detail.summary;
    this.next = detail.next;
    for (const entry of detail.entries) this.take(entry);
  }

  take(entry) {
    const text = this.decode(entry);
    switch (entry.kind) {
      case "request":
        this.request = { text, headers: entry.headers, masked: entry.masked };
        break;
      case "chat":
        this.turns.push({ ...entry, number: entry.turn, text, said: "", ended: null, status: null });
        this.log.push({ at: entry.at, kind: "chat", turn: entry.turn, path: entry.path });
        break;
      case "answer":
        Object.assign(this.turn(entry.turn), { status: entry.status, answered: entry.at, answerHeaders: entry.headers });
        this.log.push({ at: entry.at, kind: "answer", turn: entry.turn, status: entry.status });
        break;
      case "chunk":
        this.heard(this.turn(entry.turn), entry.at, text);
        this.log.push({ at: entry.at, kind: "chunk", turn: entry.turn, text });
        break;
      case "end":
        if (entry.turn) Object.assign(this.turn(entry.turn), { ended: entry.at, error: entry.error });
        break;
      case "start":
        this.start = { status: entry.status, headers: entry.headers };
        break;
      case "sent":
        this.sent(entry.at, text);
        break;
      case "made":
        this.events(entry.at, text, parseEvents(text));
        break;
    }
  }

  heard(turn, at, text) {
    turn.first ??= at;
    turn.last = at;
    turn.said += text;
  }

  turn(number) {
    return this.turns.find((turn) => turn.number === number);
  }

  decode(entry) {
    if (!entry.data) return "";
    const name = `${entry.kind} ${entry.turn ?? 0}`;
    if (!this.decoders.has(name)) this.decoders.set(name, new TextDecoder());
    const stream = entry.kind === "chunk" || entry.kind === "sent";
    return this.decoders.get(name).decode(bytes(entry.data), { stream });
  }

  // The body to send again: without what stands around it in a frame.
  get body() {
    const value = this.summary.way === "websocket" ? parse(this.request?.text ?? "") : null;
    if (!value) return this.request?.text ?? "";
    const { type, stream_id: lane, generate, ...rest } = value;
    return JSON.stringify({ ...rest, stream: true });
  }

  get isStream() {
    const type = this.start?.headers.find(([name]) => name.toLowerCase() === "content-type");
    return this.summary.way === "websocket" || (type?.[1] ?? "").startsWith("text/event-stream");
  }

  sent(at, text) {
    if (!this.isStream) {
      this.text += text;
      this.log.push({ at, kind: "document", text });
      this.readDocument(at);
      return;
    }
    const isFrame = this.summary.way === "websocket";
    this.events(at, text, isFrame ? [{ name: "", data: text }] : parseEvents(text));
  }

  events(at, text, found) {
    const events = found.map(({ name, data }) => ({ name, data, value: parse(data) }));
    this.log.push({ at, kind: "sent", text, events });
    for (const event of events) if (event.value?.type) this.read(at, event.value);
  }

  read(at, event) {
    if (DELTA.test(event.type)) {
      this.deltas.push(at);
      const item = this.items.find((found) => found.index === event.output_index);
      if (item && typeof event.delta === "string") item.text += event.delta;
    } else if (event.type === "response.output_item.added") {
      this.items.push({ index: event.output_index, ...named(event.item), from: at, to: null, text: "" });
    } else if (event.type === "response.output_item.done") {
      const item = this.items.find((found) => found.index === event.output_index);
      if (item) Object.assign(item, named(event.item), { to: at, text: said(event.item) || item.text });
    }
    if (event.response) this.response = event.response;
  }

  readDocument(at) {
    const value = parse(this.text);
    if (!value) return;
    this.response = value;
    const began = this.turns[0]?.answered ?? 0;
    this.items = (value.output ?? []).map((item, index) => ({
      index, ...named(item), from: began, to: at, text: said(item),
    }));
  }

  // The first of our events with something of the model, or of the upstream's bytes.
  get firstToken() {
    return this.deltas[0] ?? this.summary.first_delta;
  }

  // Over the time in which the model spoke: between the first and the last piece of each call. What
  // comes in one piece took the whole call.
  get tokensPerSecond() {
    const tokens = this.summary.usage?.output_tokens;
    const spoken = this.turns.reduce((sum, turn) => sum + (turn.last - turn.first || 0), 0);
    const waited = this.turns.reduce((sum, turn) => sum + (turn.ended - turn.at || 0), 0);
    return tokens && (spoken || waited) > 0 ? tokens / (spoken || waited) : null;
  }
}

export function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function named(item) {
  return { type: item.type, name: item.name ?? item.server_label ?? "", item };
}

// What an item says, in words.
function said(item) {
  const parts = item.content?.length ? item.content : (item.summary ?? []);
  const words = parts.map((part) => part.text ?? part.refusal ?? "").join("\n");
  return words || item.arguments || item.input || (item.action ? JSON.stringify(item.action) : "");
}
