// A day of an agent in a wiki: bob edits, carol reads, mallory has no right, and
// alice pushes with git meanwhile.
import assert from "node:assert/strict";
import { story, please, saw, ends, connect, call, fails } from "./connect.mjs";

const updates = [];
let wake = () => {};
const bob = await connect(story.bob, {
  on: { "notifications/resources/updated": (n) => (updates.push(n.params.uri), wake()) },
});

/** Waits until a resource is said to have changed. */
async function updated(uri) {
  while (!updates.includes(uri)) await new Promise((then) => (wake = then));
  updates.length = 0;
}

assert.equal(bob.client.getServerVersion().name, "wikibot");
assert.ok(bob.client.getInstructions().length > 0);
const tools = (await bob.client.listTools()).tools.map((t) => t.name);
for (const name of ["read_note", "write_note", "edit_note", "search_notes"]) assert.ok(tools.includes(name), name);
saw("tools");

const home = await call(bob, "read_note", { path: "Home" });
assert.ok(home.text.length > 0);
saw("home");

const made = await call(bob, "write_note", { path: "Field/Notes", content: "# Notes\n\nThe otter sleeps.\n" });
let note = await call(bob, "read_note", { path: "Field/Notes" });
assert.match(note.text, /The otter sleeps\./);
const first = note.data.revision;
assert.ok(first);
saw("written");

const edit = { path: "Field/Notes", old_string: "sleeps", new_string: "swims", revision: first };
await call(bob, "edit_note", edit);
assert.match((await call(bob, "read_note", { path: "Field/Notes" })).text, /The otter swims\./);
saw("edited");

const stale = await fails(bob, "write_note", { path: "Field/Notes", content: "# Mine\n", revision: first });
assert.match(stale, /revision/i);
assert.match((await call(bob, "read_note", { path: "Field/Notes" })).text, /swims/);
saw("conflict");

const uri = "wiki:///Field/Notes";
let subscription;
if (story.kind === "modern") {
  subscription = await bob.client.listen({ resourceSubscriptions: [uri] });
  assert.deepEqual(subscription.honoredFilter.resourceSubscriptions, [uri]);
} else {
  await bob.client.subscribeResource({ uri });
}
await please("push Field/Notes");
await updated(uri);
const pushed = await bob.client.readResource({ uri });
assert.match(pushed.contents[0].text, /pushed with git/);
saw("change of another");

const listed = await bob.client.listResources();
assert.ok(listed.resources.some((r) => r.uri === uri));
assert.ok((await bob.client.listResourceTemplates()).resourceTemplates.length > 0);
const prompts = (await bob.client.listPrompts()).prompts;
assert.ok(prompts.every((p) => p.description));
const prompt = await bob.client.getPrompt({ name: prompts[0].name, arguments: {} });
assert.ok(prompt.messages.length > 0);
const completed = await bob.client.complete({ ref: { type: "ref/resource", uri: "wiki:///{+path}" }, argument: { name: "path", value: "Fie" } });
assert.ok(completed.completion.values.includes("Field/Notes"), JSON.stringify(completed));
saw("resources and prompts");

await assert.rejects(bob.client.readResource({ uri: "wiki:///No/Such" }));
saw("nothing there");

const carol = await connect(story.carol);
const hers = (await carol.client.listTools()).tools.map((t) => t.name);
assert.ok(hers.includes("read_note") && !hers.includes("write_note"));
assert.match((await call(carol, "read_note", { path: "Field/Notes" })).text, /pushed with git/);
await fails(carol, "write_note", { path: "Field/Carol", content: "hers" });
saw("a reader reads");

await assert.rejects(connect(story.mallory), "mallory came in");
await assert.rejects(connect("wbt_u-0000000000000000_nonsense"), "a made-up token came in");
await assert.rejects(connect(undefined), "nobody came in");
saw("mallory outside");

if (story.kind === "modern") {
  assert.equal(bob.transport.sessionId, undefined);
  await subscription.close();
  assert.equal(await subscription.closed, "local");
} else {
  // The session ends; its id is nobody's any more, and a new one begins.
  const old = bob.transport.sessionId;
  await bob.transport.terminateSession();
  const again = await fetch(story.url, {
    method: "POST",
    headers: { Authorization: "Bearer " + story.bob, "Content-Type": "application/json", Accept: "application/json, text/event-stream", "Mcp-Session-Id": old },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }),
  });
  assert.equal(again.status, 404);
}
await bob.client.close();
const back = await connect(story.bob);
assert.match((await call(back, "read_note", { path: "Field/Notes" })).text, /pushed with git/);
saw("back again");

// His right ends, and with it what he has open.
const follower = await connect(story.bob, { on: { "notifications/resources/updated": (n) => (updates.push(n.params.uri), wake()) } });
let closed = Promise.resolve();
if (story.kind === "modern") {
  closed = (await follower.client.listen({ resourceSubscriptions: [uri] })).closed;
} else {
  await follower.client.subscribeResource({ uri });
}
updates.length = 0;
await please("revoke bob");
await please("push Field/Notes");
await assert.rejects(follower.client.callTool({ name: "read_note", arguments: { path: "Field/Notes" } }));
await closed;
assert.deepEqual(updates, []);
saw("revoked");
ends();
