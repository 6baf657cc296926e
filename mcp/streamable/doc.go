// Package streamable is the Streamable HTTP transport of the Model Context
// Protocol over an mcp-go server: it takes HTTP requests apart, keeps sessions
// and streams, and hands each JSON-RPC message to server.MCPServer.HandleMessage.
// It knows nothing of wikis.
//
// Two eras of the protocol are served at one address, decided per request:
//
//   - the revisions to 2025-11-25 (modelcontextprotocol.io/specification/2025-11-25/basic/transports):
//     a session begins with initialize and is named by the header
//     Mcp-Session-Id; GET opens a stream for what the server says by itself;
//     DELETE ends the session;
//   - 2026-07-28: every request stands alone and says in params._meta which
//     revision it speaks and who the client is; the headers Mcp-Method, Mcp-Name
//     and Mcp-Param-* repeat what the body says; subscriptions/listen opens a
//     stream. There are no sessions, and GET and DELETE answer 405.
//
// A POST is answered with JSON where the call says nothing on its way, else with
// a stream of Server-Sent Events (WHATWG HTML, 9.2): every notification of the
// call, in order, then the answer. Nothing is dropped: a handler that says more
// than its client reads waits (call.NotificationChannel), and its context ends
// when the client is gone.
//
// The files: handler.go (configuration, entry), post.go (one message), message.go
// (what is checked before anything is decoded), call.go (one request that is
// being answered), session.go and table.go (sessions and their bounds), inbox.go
// (what a session's own stream says), transcript.go (streams that may be resumed),
// kept.go (answers for repeated requests), ask.go (requests of the server to the
// client), modern.go (2026-07-28), broadcast.go (notifications for many).
//
// Bounds. A body is at most Config.MaxBody, nested at most maxDepth deep and of
// at most maxValues values, which is looked at before it is decoded; what calls no
// tool has at most 256 KiB, and what opens a session or a stream 128 KiB. The bodies
// that are being worked on are together at most 64 MiB or four of the largest, a
// quarter of it for one Peer.Who. A peer has at most Config.PeerSessions sessions
// (the one that was used least recently ends) and Config.PeerRequests requests and
// streams at once (429). A session keeps at most 512 subscriptions, 1,024
// notifications for its stream, the last eight streams of calls (256 KiB), and 32
// answers (128 KiB); streams and answers of all sessions together 256 MiB.
package streamable
