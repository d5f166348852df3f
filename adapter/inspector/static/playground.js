// A request to write and send. The JSON is what is sent; the fields beside it change parts of it.

import * as api from "./api.js";
import { h } from "./dom.js";
import { parse } from "./exchange.js";

const FIRST = { model: "", input: "What is the weather in Paris?", stream: true, temperature: 0 };

const TOOLS = {
  Function: {
    type: "function",
    name: "get_weather",
    description: "Get the current weather in a city.",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
  Custom: { type: "custom", name: "run_python", description: "Run a Python program." },
  MCP: {
    type: "mcp",
    server_label: "docs",
    server_url: "https://mcp.example/mcp",
    require_approval: "never",
  },
  "Web search": { type: "web_search" },
};

const SCHEMA = {
  type: "json_schema",
  name: "answer",
  strict: true,
  schema: {
    type: "object",
    properties: { city: { type: "string" }, temperature: { type: "number" } },
    required: ["city", "temperature"],
    additionalProperties: false,
  },
};

// Fields: what they show of a body, and what becomes of a body when they change.
const text = (name) => ({
  read: (body) => (typeof body[name] === "string" ? body[name] : ""),
  write: (body, value) => set(body, name, value || undefined),
});
const number = (name) => ({
  read: (body) => body[name] ?? "",
  write: (body, value) => set(body, name, value === "" ? undefined : Number(value)),
});
const FIELDS = {
  model: text("model"),
  instructions: text("instructions"),
  input: text("input"),
  temperature: number("temperature"),
  max_output_tokens: number("max_output_tokens"),
  effort: {
    read: (body) => body.reasoning?.effort ?? "",
    write: (body, value) =>
      set(body, "reasoning", value ? { ...body.reasoning, effort: value } : undefined),
  },
};

function set(body, name, value) {
  const changed = { ...body };
  if (value === undefined) delete changed[name];
  else changed[name] = value;
  return changed;
}

export class Playground {
  // Args: where to draw; `send` sends a request body and shows what comes of it.
  constructor(main, { send }) {
    this.main = main;
    this.send = send;
    this.text = JSON.stringify(FIRST, null, 2);
    this.models = null;
  }

  load(body) {
    const value = parse(body);
    this.text = value === null ? body : JSON.stringify(value, null, 2);
  }

  async show() {
    this.draw();
    if (this.models === null) {
      this.models = await api.models().catch(() => []);
      const body = parse(this.text);
      const isBusy = document.activeElement === this.area; // nothing changes under who types
      if (body && !body.model && this.models.length && !isBusy) {
        this.put(set(body, "model", this.models[0]));
      }
      if (this.list?.isConnected) this.list.replaceChildren(...this.options());
    }
  }

  options() {
    return (this.models ?? []).map((id) => h("option", { value: id }));
  }

  put(body) {
    this.text = JSON.stringify(body, null, 2);
    if (this.area) this.area.value = this.text;
    this.refresh();
  }

  change(make) {
    const body = parse(this.text);
    if (body) this.put(make(body));
  }

  // Shows in the fields what stands in the JSON.
  refresh() {
    const body = parse(this.text);
    const isObject = body !== null && typeof body === "object" && !Array.isArray(body);
    this.wrong.hidden = isObject;
    this.button.disabled = !isObject;
    for (const [name, field] of Object.entries(this.fields)) {
      field.disabled = !isObject;
      const isElsewhere = name === "input" && isObject && typeof body.input !== "string";
      field.readOnly = isElsewhere;
      field.placeholder = isElsewhere ? "It is a list: see the JSON" : "";
      if (isObject && field !== document.activeElement) field.value = FIELDS[name].read(body);
    }
    if (isObject) this.stream.checked = body.stream === true;
  }

  field(name, label, element) {
    element.id = `ask-${name}`;
    element.addEventListener("input", () => {
      this.change((body) => FIELDS[name].write(body, element.value));
    });
    this.fields[name] = element;
    return h("label", { for: element.id }, label, element);
  }

  addTool(name) {
    this.change((body) => set(body, "tools", [...(body.tools ?? []), TOOLS[name]]));
  }

  draw() {
    this.fields = {};
    this.wrong = h("p", { class: "wrong", role: "alert", hidden: true }, "This is not a JSON object.");
    this.button = h("button", { class: "primary", id: "ask-send" }, "Send");
    this.list = h("datalist", { id: "models" }, ...this.options());
    this.stream = h("input", { type: "checkbox", id: "ask-stream" });
    this.stream.addEventListener("change", () => {
      this.change((body) => set(body, "stream", this.stream.checked));
    });
    this.area = h("textarea", { class: "code whole", id: "ask-json", spellcheck: "false" });
    this.area.value = this.text;
    this.area.addEventListener("input", () => {
      this.text = this.area.value;
      this.refresh();
    });
    this.main.replaceChildren(
      h("h2", {}, "Playground"),
      h("p", { class: "faint" }, "Send a request as a client would, and watch what becomes of it."),
      this.form(),
    );
    this.refresh();
  }

  form() {
    const efforts = ["", "none", "minimal", "low", "medium", "high", "xhigh"];
    const submit = (event) => {
      event.preventDefault();
      this.send(this.text, { authorization: this.authorization.value });
    };
    this.authorization = h("input", { type: "password", id: "ask-key", autocomplete: "off" });
    return h(
      "form",
      { class: "ask", onsubmit: submit },
      h(
        "div",
        {},
        this.field("model", "Model", h("input", { list: "models", autocomplete: "off" })),
        this.list,
        this.field("instructions", "Instructions", h("textarea", { rows: "2" })),
        this.field("input", "Input", h("textarea", { rows: "4" })),
        h(
          "div",
          { class: "row" },
          this.field("temperature", "Temperature", h("input", { type: "number", step: "0.1", min: "0", max: "2" })),
          this.field("max_output_tokens", "Most output tokens", h("input", { type: "number", min: "1" })),
          this.field("effort", "Reasoning effort", h("select", {}, ...efforts.map((name) => h("option", { value: name }, name || "default")))),
        ),
        h(
          "div",
          { class: "field", role: "group", "aria-labelledby": "ask-add" },
          h("span", { id: "ask-add" }, "Add"),
          h(
            "div",
            { class: "chips" },
            ...Object.keys(TOOLS).map((name) => h("button", { type: "button", onclick: () => this.addTool(name) }, name)),
            h("button", { type: "button", onclick: () => this.change((body) => set(body, "text", { format: SCHEMA })) }, "JSON schema"),
            h("button", { type: "button", onclick: () => this.change((body) => set(set(body, "tools"), "text")) }, "Remove all"),
          ),
        ),
        h("label", { for: "ask-key" }, "Authorization, if the upstream wants your own key", this.authorization),
        h("label", { class: "check", for: "ask-stream" }, this.stream, "Stream"),
        this.button,
      ),
      h("div", {}, h("label", { for: "ask-json" }, "Request", this.area), this.wrong),
    );
  }
}
