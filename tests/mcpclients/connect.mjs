// What the two generations of the TypeScript SDK have in common for the stories.
import assert from "node:assert/strict";
import readline from "node:readline";

/** What the test said: { kind, url, … }. kind is "sdk", "client" or "modern". */
export const story = JSON.parse(process.argv[2]);

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Asks the test to do something, such as a push by somebody else. */
export async function please(what) {
  console.log("PLEASE " + what);
  const { value } = await lines.next();
  assert.equal(value, "done", what);
}

/** Says what has been seen; the test counts these lines. */
export function saw(what) {
  console.log("SAW " + what);
}

export function ends() {
  console.log("END");
  process.exit(0);
}

async function library() {
  if (story.kind === "sdk") {
    const { Client } = await import("@modelcontextprotocol/sdk/client/index.js");
    const { StreamableHTTPClientTransport } = await import("@modelcontextprotocol/sdk/client/streamableHttp.js");
    const types = await import("@modelcontextprotocol/sdk/types.js");
    return { Client, StreamableHTTPClientTransport, types };
  }
  return await import("@modelcontextprotocol/client");
}

/**
 * Connects with a token. on(method, handler) registers for notifications and for
 * requests of the server, whichever way this generation names them.
 */
export async function connect(token, { on = {}, capabilities = {} } = {}) {
  const lib = await library();
  const options = { capabilities };
  if (story.kind === "modern") options.versionNegotiation = { mode: { pin: "2026-07-28" } };
  const client = new lib.Client({ name: "story-" + story.kind, version: "1.2.3" }, options);
  const errors = [];
  client.onerror = (e) => errors.push(e);
  for (const [method, handler] of Object.entries(on)) {
    const request = !method.startsWith("notifications/");
    const name = story.kind === "sdk" ? schemas(lib.types)[method] : method;
    request ? client.setRequestHandler(name, handler) : client.setNotificationHandler(name, handler);
  }
  const headers = token ? { Authorization: "Bearer " + token } : {};
  const transport = new lib.StreamableHTTPClientTransport(new URL(story.url), { requestInit: { headers } });
  await client.connect(transport);
  return { client, transport, errors };
}

function schemas(t) {
  return {
    "notifications/resources/updated": t.ResourceUpdatedNotificationSchema,
    "notifications/message": t.LoggingMessageNotificationSchema,
    "elicitation/create": t.ElicitRequestSchema,
    "sampling/createMessage": t.CreateMessageRequestSchema,
  };
}

/** Calls a tool that must succeed; returns its texts and its structured content. */
export async function call(c, name, args = {}, options) {
  const r = story.kind === "sdk" ? await c.client.callTool({ name, arguments: args }, undefined, options) : await c.client.callTool({ name, arguments: args }, options);
  assert.ok(!r.isError, name + ": " + JSON.stringify(r.content));
  return { text: r.content.map((p) => p.text ?? "").join("\n"), data: r.structuredContent };
}

/** Calls a tool that must fail, and returns what it says. */
export async function fails(c, name, args) {
  const r = await c.client.callTool({ name, arguments: args });
  assert.ok(r.isError, name + " did not fail: " + JSON.stringify(r.content));
  return r.content.map((p) => p.text ?? "").join("\n");
}
