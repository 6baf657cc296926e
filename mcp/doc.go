// Package mcp is the face for agents: the Model Context Protocol over Streamable
// HTTP, one endpoint for each wiki and one for the site.
//
// Agents get tools, resources, prompts and completions. What a tool does to a
// wiki is package notes' business; here its arguments are read, its result is
// written, and its errors are told in words that say the next step. The protocol's
// types and the dispatch are those of mark3labs/mcp-go; the transport is
// mcp/streamable.
//
// # Results
//
// A result has a text for the model, in the first content block, and the same
// facts as structured content that fits the tool's output schema. The texts are a
// contract that models have learned:
//
//	# Auth                                       read_note
//	Path: Design/Auth
//	Revision: 5d0c…40 digits
//	Section: Auth > Tokens                       where one was asked for
//	Category: reference | Tags: a, b             the frontmatter, without the title
//	Links to: Home, Design/Storage
//	Linked from: Home
//
//	---
//	the page as it is stored
//
// # Page content is data
//
// Whoever may write a page writes what an agent reads. So nothing from a page
// stands in a header line except in one piece and without line breaks (line), the
// lines whose beginning has a meaning are indented or left out where they come
// from a page, and a second block says where the content began, how long it is and
// that it is data and no instruction. Results that carry several texts put a
// boundary around each, made of a random number that no page can know.
//
// # Who is calling
//
// The server has found out who is calling before a request arrives here, and that
// is looked at again for each message. A connection keeps nothing but the name of
// the program and what it subscribed to; a session belongs to one credential in
// one wiki and does not exist for any other.
package mcp
