// A request as a command for a shell. Keys are not kept, so the command takes them from a variable.

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

export function toCurl(exchange, origin) {
  const { summary, request } = exchange;
  const path = summary.way === "websocket" ? "/v1/responses" : summary.path;
  const lines = [`curl -N ${quote(origin + path)}`, "-H 'content-type: application/json'"];
  const names = (request?.headers ?? []).map(([name]) => name.toLowerCase());
  if (names.includes("authorization")) lines.push('-H "authorization: Bearer $OPENAI_API_KEY"');
  lines.push(`-d ${quote(exchange.body)}`);
  return lines.join(" \\\n  ");
}
