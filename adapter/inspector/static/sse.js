// Server-sent events: from a stream, and from a text. Ours have "\n" only; upstreams have all three.

export function parseEvents(text) {
  const events = [];
  let name = "";
  let data = [];
  const lines = text.split(/\r\n|\n|\r/);
  const end = () => {
    if (data.length) events.push({ name, data: data.join("\n") });
    name = "";
    data = [];
  };
  for (const line of lines) {
    if (line === "") end();
    else if (line.startsWith("event:")) name = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
  }
  end();
  return events;
}

export async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value;
    const end = rest.lastIndexOf("\n\n");
    if (end < 0) continue;
    yield* parseEvents(rest.slice(0, end + 2));
    rest = rest.slice(end + 2);
  }
}
