// What the SDKs make of the rest of the protocol, with the suite's fixture:
// progress, log messages, questions to the client, and a stream that is closed on
// purpose.
import assert from "node:assert/strict";
import { story, saw, ends, connect, call } from "./connect.mjs";

const logged = [];
const c = await connect(undefined, {
  capabilities: { sampling: {}, elicitation: {} },
  on: {
    "notifications/message": (n) => void logged.push(n.params.data),
    "elicitation/create": async () => ({ action: "accept", content: { username: "bob", email: "bob@example.org", name: "Bob", ok: true } }),
    "sampling/createMessage": async () => ({ role: "assistant", model: "none", content: { type: "text", text: "forty-two" } }),
  },
});

for (let i = 0; i < 20; i++) {
  const progress = [];
  await call(c, "test_tool_with_progress", {}, { onprogress: (p) => progress.push(p.progress) });
  assert.deepEqual(progress, [0, 50, 100]);
}
saw("progress");

if (story.kind === "modern") {
  const r = await call(c, "test_input_required_result_elicitation");
  assert.equal(r.text, "Hello, Bob!");
  saw("questions");
  ends();
}

await c.client.setLoggingLevel("info");
await call(c, "test_tool_with_logging");
assert.equal(logged.length, 3);
saw("log messages");

const asked = await call(c, "test_elicitation", { message: "Who are you?" });
assert.match(asked.text, /bob@example\.org/);
const sampled = await call(c, "test_sampling", { prompt: "What is it?" });
assert.equal(sampled.text, "LLM response: forty-two");
saw("questions");

// The server closes the connection in the midst of the call; the client comes back
// for the answer by itself.
const resumed = await call(c, "test_reconnection");
assert.equal(resumed.text, "Reconnection test completed");
saw("resumed");
ends();
