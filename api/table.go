package api

import "net/http"

// about describes an operation, for the OpenAPI document and the readable page.
type about struct {
	group   string
	summary string
	text    string
	query   []param
	takes   any            // the request's body
	gives   map[int]any    // the answers by status
	fails   []int          // statuses of errors, beside those of every operation
	sample  map[string]any // an example body
	sampled string         // an example of the path and the query, after /v1
	kinds   []string       // media types beside JSON of the answer
}

// param is a parameter of the query.
type param struct {
	name, text string
	kind       string // string, integer, boolean, date
	need       bool
	enum       []string
}

const (
	groupPages = "Pages"
	groupParts = "Several pages at once"
	groupPast  = "History"
	groupFind  = "Finding"
	groupLinks = "Links"
	groupFiles = "Attachments"
	groupWiki  = "This wiki"
)

func groups() []string {
	return []string{groupWiki, groupPages, groupParts, groupPast, groupFind, groupLinks, groupFiles}
}

// operations is the whole interface.
func operations() []operation {
	var all []operation
	for _, part := range [][]operation{wikiOps(), pageOps(), manyOps(), pastOps(), findOps(), linkOps(), fileOps()} {
		all = append(all, part...)
	}
	return all
}

// The methods, in short for the table.
const (
	get   = http.MethodGet
	post  = http.MethodPost
	put   = http.MethodPut
	patch = http.MethodPatch
	del   = http.MethodDelete
)

func limitParam(text string) param {
	return param{name: "limit", kind: "integer", text: "Most entries of the answer; " + text}
}

func cursorParam() param {
	return param{name: "cursor", kind: "string", text: "The cursor of the answer before, for the part that follows."}
}

func prefixParam(text string) param { return param{name: "prefix", kind: "string", text: text} }

func wikiOps() []operation {
	return []operation{
		{method: get, pattern: "health", id: "health", run: (*call).health, about: about{
			group: groupWiki, summary: "Is the server there", text: "Needs no credential.",
			gives: map[int]any{200: healthAnswer{}}, sampled: "/health"}},
		{method: get, pattern: "me", id: "whoAmI", run: (*call).me, needs: toRead, now: true, about: about{
			group: groupWiki, summary: "Who am I here", text: "Your name, your role, what you may do, and what this wiki is for. Good as a first call.",
			gives: map[int]any{200: meAnswer{}}, sampled: "/me"}},
		{method: get, pattern: "events", id: "followChanges", run: (*call).events, needs: toRead, now: true, about: about{
			group: groupWiki, summary: "Follow changes (Server-Sent Events)",
			text: "One event `change` for each commit, with the commit as its id and a ChangeEvent as its data; `Last-Event-ID` or `after` goes on behind a commit. `reset` (a ResetEvent) says that the history is another one: begin anew. " +
				"A comment every 15 seconds keeps the connection open. The stream ends when you may not read any more.",
			query: []param{{name: "after", kind: "string", text: "Go on behind this commit; absent: from now on."}, prefixParam("Only commits that change a page whose path begins so.")},
			kinds: []string{"text/event-stream"}, sampled: "/events"}},
		{method: get, pattern: "tags", id: "listTags", run: (*call).tags, needs: toRead, headTag: true, about: about{
			group: groupWiki, summary: "Tags with their pages counted", text: "The most used first; upper and lower case are one.",
			query: []param{limitParam("absent: all."), cursorParam()}, gives: map[int]any{200: countsAnswer{}}, sampled: "/tags"}},
		{method: get, pattern: "categories", id: "listCategories", run: (*call).categories, needs: toRead, headTag: true, about: about{
			group: groupWiki, summary: "Categories with their pages counted",
			query: []param{limitParam("absent: all."), cursorParam()}, gives: map[int]any{200: countsAnswer{}}, sampled: "/categories"}},
	}
}

func pageOps() []operation {
	return []operation{
		{method: get, pattern: "pages", id: "listPages", run: (*call).listPages, needs: toRead, dear: true, headTag: true, about: about{
			group: groupPages, summary: "List pages", text: "All filters must fit. Without limit all pages are answered.",
			query: []param{prefixParam("Of the path."), {name: "category", kind: "string", text: "Without regard to case."}, {name: "tag", kind: "string", text: "Without regard to case."},
				{name: "updated_since", kind: "date", text: "Changed then or later: a date or a time in ISO 8601."}, limitParam("absent: all."), cursorParam()},
			gives: map[int]any{200: pageList{}}, sampled: "/pages?prefix=Design/&limit=20"}},
		{method: get, pattern: "pages/{path}", id: "readPage", run: (*call).readPage, needs: toRead, about: about{
			group: groupPages, summary: "Read a page", text: "Its ETag is its revision. With `Accept: text/markdown` the answer is the page as it is. A page that was renamed answers at its new place.",
			query: []param{{name: "section", kind: "string", text: "Only this section: its full path (A > B), the end of one, or its title."}},
			gives: map[int]any{200: pageAnswer{}}, fails: []int{404}, kinds: []string{"text/markdown"}, sampled: "/pages/Home"}},
		{method: put, pattern: "pages/{path}", id: "writePage", run: (*call).putPage, needs: toWrite, about: about{
			group: groupPages, summary: "Create or overwrite a page",
			text:  "To overwrite, send the revision that you have read, as a field or in If-Match. `If-None-Match: *` only creates. A body of `Content-Type: text/markdown` is the page as it is; revision, merge, create and commit_message are parameters of the query then.",
			takes: putRequest{}, gives: map[int]any{200: putAnswer{}, 201: putAnswer{}}, fails: []int{409, 412, 413},
			sample: map[string]any{"content": "# Plan\n\nWhat comes next.\n", "commit_message": "a plan"}, sampled: "/pages/Plan"}},
		{method: patch, pattern: "pages/{path}", id: "editPage", run: (*call).patchPage, needs: toWrite, about: about{
			group: groupPages, summary: "Edit a page",
			text:  "Replace texts that stand on the page exactly once (old_string, or several edits), based on a revision; or edit by section and at the ends of the page (operations), which is applied to the newest text and needs no revision, so that many may do it at once.",
			takes: patchRequest{}, gives: map[int]any{200: writeAnswer{}}, fails: []int{404, 409, 412, 413},
			sample: map[string]any{"operations": []any{map[string]any{"do": "append", "content": "One more line.\n"}}}, sampled: "/pages/Plan"}},
		{method: post, pattern: "pages/{path}/edit", id: "editPagePost", run: (*call).patchPage, needs: toWrite, about: about{
			group: groupPages, summary: "Edit a page, for clients without PATCH", text: "The same as PATCH.",
			takes: patchRequest{}, gives: map[int]any{200: writeAnswer{}}, fails: []int{404, 409, 412, 413},
			sample: map[string]any{"merge": true, "old_string": "next", "new_string": "first"}, sampled: "/pages/Plan/edit"}},
		{method: del, pattern: "pages/{path}", id: "deletePage", run: (*call).deletePage, needs: toWrite, about: about{
			group: groupPages, summary: "Delete a page", text: "It stays in the history and can be restored.",
			takes: deleteRequest{}, gives: map[int]any{200: deleteAnswer{}}, fails: []int{404, 409, 412},
			sample: map[string]any{"dry_run": true}, sampled: "/pages/Plan"}},
		{method: post, pattern: "pages/{path}/rename", id: "renamePage", run: (*call).renamePage, needs: toWrite, about: about{
			group: groupPages, summary: "Rename a page", text: "One commit moves the page, its attachments and sub-pages, and rewrites the links to it.",
			takes: renameRequest{}, gives: map[int]any{200: renameAnswer{}}, fails: []int{404, 409, 412},
			sample: map[string]any{"new_path": "Plans/2027", "dry_run": true}, sampled: "/pages/Plan/rename"}},
		{method: get, pattern: "pages/{path}/outline", id: "outlinePage", run: (*call).outline, needs: toRead, about: about{
			group: groupPages, summary: "The sections of a page", gives: map[int]any{200: outlineAnswer{}}, fails: []int{404}, sampled: "/pages/Home/outline"}},
	}
}

func manyOps() []operation {
	return []operation{
		{method: post, pattern: "commit", id: "commit", run: (*call).commit, needs: toWrite, counted: true, about: about{
			group: groupParts, summary: "Change several pages in one commit",
			text:  "Creates, edits, renames, deletes and attachments, applied in their order, all or none. An error names the operation at fault by its number. Each operation counts as one write.",
			takes: commitRequest{}, gives: map[int]any{200: commitAnswer{}}, fails: []int{404, 409, 413},
			sample: map[string]any{"commit_message": "a plan, and a link to it", "operations": []any{
				map[string]any{"do": "create", "path": "Plan", "content": "# Plan\n"},
				map[string]any{"do": "append", "path": "Home", "content": "See [[Plan]].\n"}}}, sampled: "/commit"}},
		{method: post, pattern: "pages/read", id: "readPages", run: (*call).readMany, needs: toRead, read: true, about: about{
			group: groupParts, summary: "Read several pages",
			text:  "Whole pages, as long as they fit into a budget of characters; what does not fit is named. The page that is called \"read\" is /pages/read with the other methods.",
			takes: manyRequest{}, gives: map[int]any{200: manyAnswer{}},
			sample: map[string]any{"paths": []string{"Home", "Design/Auth"}, "budget": 20000}, sampled: "/pages/read"}},
	}
}

func pastOps() []operation {
	return []operation{
		{method: get, pattern: "pages/{path}/history", id: "pageHistory", run: (*call).history, needs: toRead, about: about{
			group: groupPast, summary: "A page's history", text: "Newest first, across renames, also of a page that is gone.",
			query: []param{limitParam("absent: 50, at most 1,000."), cursorParam()}, gives: map[int]any{200: historyAnswer{}}, fails: []int{404}, sampled: "/pages/Home/history?limit=10"}},
		{method: get, pattern: "pages/{path}/diff", id: "diffPage", run: (*call).diff, needs: toRead, dear: true, about: about{
			group: groupPast, summary: "What changed on a page", text: "With `Accept: text/x-diff` the diff alone.",
			query: []param{{name: "from", kind: "string", text: "Revision; absent: the one before to."}, {name: "to", kind: "string", text: "Revision; absent: the newest, and without from the page's last change."}},
			gives: map[int]any{200: diffAnswer{}}, fails: []int{404}, kinds: []string{"text/x-diff"}, sampled: "/pages/Home/diff"}},
		{method: post, pattern: "pages/{path}/restore", id: "restorePage", run: (*call).restorePage, needs: toWrite, about: about{
			group: groupPast, summary: "Bring back a page as it was", text: "Also a page that was deleted.",
			takes: restoreRequest{}, gives: map[int]any{200: writeAnswer{}}, fails: []int{404, 409, 412},
			sample: map[string]any{"revision": "0123456789abcdef0123456789abcdef01234567"}, sampled: "/pages/Plan/restore"}},
		{method: get, pattern: "changelog", id: "changelog", run: (*call).changelog, needs: toRead, headTag: true, about: about{
			group: groupPast, summary: "Recent changes of the wiki",
			query: []param{limitParam("absent: 50, at most 1,000."), cursorParam(), {name: "author", kind: "string", text: "Name or address of the author, or the user name."},
				{name: "agent", kind: "string", text: "The program that wrote on somebody's behalf, with or without its version; `*`: any."},
				{name: "via", kind: "string", text: "How it came.", enum: []string{"web", "api", "mcp", "https", "ssh", "cli"}},
				{name: "since", kind: "date", text: "A date or a time in ISO 8601."}, prefixParam("Of a changed page's path.")},
			gives: map[int]any{200: changelogAnswer{}}, sampled: "/changelog?limit=20"}},
		{method: get, pattern: "diff", id: "diffWiki", run: (*call).diff, needs: toRead, dear: true, about: about{
			group: groupPast, summary: "What changed between two revisions", text: "With `Accept: text/x-diff` the diff alone. At most 300 files are shown.",
			query: []param{{name: "from", kind: "string", text: "Revision; absent: the one before to."}, {name: "to", kind: "string", text: "Revision; absent: the newest."}},
			gives: map[int]any{200: diffAnswer{}}, fails: []int{404}, kinds: []string{"text/x-diff"}, sampled: "/diff"}},
		{method: get, pattern: "commits/{revision}", id: "readCommit", run: (*call).commitAt, needs: toRead, dear: true, about: about{
			group: groupPast, summary: "One commit", text: "HEAD is the newest.",
			query: []param{{name: "diff", kind: "boolean", text: "With the changes in git's format."}}, gives: map[int]any{200: commitDetail{}}, fails: []int{404}, sampled: "/commits/HEAD?diff=true"}},
		{method: post, pattern: "commits/{revision}/revert", id: "revertCommit", run: (*call).revert, needs: toWrite, about: about{
			group: groupPast, summary: "Take back a commit", text: "What changed since on the same lines is a conflict.",
			takes: revertRequest{}, gives: map[int]any{200: commitAnswer{}}, fails: []int{404, 409},
			sample: map[string]any{"dry_run": true}, sampled: "/commits/HEAD/revert"}},
	}
}

func findOps() []operation {
	mode := param{name: "mode", kind: "string", text: "Which arms answer.", enum: []string{"lexical", "semantic", "hybrid"}}
	return []operation{
		{method: get, pattern: "search", id: "search", run: (*call).search, needs: toRead, now: true, about: about{
			group: groupFind, summary: "Search pages", text: "Words, phrases, and filters as tag:x, path:x, -word.",
			query: []param{{name: "q", kind: "string", text: "What to search for.", need: true}, mode, limitParam("absent: 50, at most 100."), cursorParam()},
			gives: map[int]any{200: searchAnswer{}}, fails: []int{503}, sampled: "/search?q=welcome"}},
		{method: get, pattern: "semantic-search", id: "semanticSearch", run: (*call).semantic, needs: toRead, now: true, about: about{
			group: groupFind, summary: "Find pieces of pages by meaning",
			query: []param{{name: "q", kind: "string", text: "A text.", need: true}, {name: "n", kind: "integer", text: "Most results, 1 to 50; absent: 5."},
				{name: "max_chunks_per_page", kind: "integer", text: "Most results of one page, 1 to 10; absent: 2."}, mode},
			gives: map[int]any{200: semanticAnswer{}}, fails: []int{503}, sampled: "/semantic-search?q=who%20may%20read&n=3"}},
		{method: get, pattern: "suggest", id: "suggest", run: (*call).suggest, needs: toRead, now: true, about: about{
			group: groupFind, summary: "Pages whose name or title fits what is being typed",
			query: []param{{name: "q", kind: "string", text: "What was typed so far."}, {name: "n", kind: "integer", text: "Most results, 1 to 50; absent: 10."}},
			gives: map[int]any{200: suggestAnswer{}}, fails: []int{503}, sampled: "/suggest?q=ho"}},
		{method: post, pattern: "reindex", id: "reindex", run: (*call).reindex, needs: toRead, about: about{
			group: groupFind, summary: "Make the search index anew", text: "For owners. The index follows the pages by itself; this is for a model that was changed, or after a fault.",
			gives: map[int]any{202: reindexAnswer{}}, fails: []int{409, 503}, sampled: "/reindex"}},
		{method: get, pattern: "reindex/status", id: "reindexStatus", run: (*call).reindexStatus, needs: toRead, now: true, about: about{
			group: groupFind, summary: "What the search index is doing", gives: map[int]any{200: indexStatus{}}, fails: []int{503}, sampled: "/reindex/status"}},
	}
}

func linkOps() []operation {
	return []operation{
		{method: get, pattern: "links", id: "linkGraph", run: (*call).graph, needs: toRead, dear: true, now: true, headTag: true, about: about{
			group: groupLinks, summary: "All links of the wiki", query: []param{prefixParam("Only pages whose path begins so, and what they link to that does not exist.")},
			gives: map[int]any{200: graphAnswer{}}, sampled: "/links"}},
		{method: get, pattern: "links/{path}", id: "pageLinks", run: (*call).links, needs: toRead, now: true, headTag: true, about: about{
			group: groupLinks, summary: "The links of a page", text: "Also of a page that does not exist and that others link to.",
			gives: map[int]any{200: linksAnswer{}}, fails: []int{404}, sampled: "/links/Home"}},
		{method: get, pattern: "orphans", id: "listOrphans", run: (*call).orphans, needs: toRead, dear: true, now: true, headTag: true, about: about{
			group: groupLinks, summary: "Pages that no other page links to", text: "Without the home page.",
			query: []param{prefixParam("Of the path."), limitParam("absent: all."), cursorParam()}, gives: map[int]any{200: orphansAnswer{}}, sampled: "/orphans"}},
		{method: get, pattern: "wanted", id: "listWanted", run: (*call).wanted, needs: toRead, dear: true, now: true, headTag: true, about: about{
			group: groupLinks, summary: "Pages that are linked to and do not exist",
			query: []param{prefixParam("Only links that stand on pages whose path begins so."), limitParam("absent: all."), cursorParam()}, gives: map[int]any{200: wantedAnswer{}}, sampled: "/wanted"}},
	}
}

func fileOps() []operation {
	return []operation{
		{method: get, pattern: "pages/{path}/attachments", id: "listAttachments", run: (*call).listAttachments, needs: toRead, about: about{
			group: groupFiles, summary: "The attachments of a page", query: []param{limitParam("absent: all."), cursorParam()},
			gives: map[int]any{200: attachmentList{}}, fails: []int{404}, sampled: "/pages/Home/attachments"}},
		{method: post, pattern: "pages/{path}/attachments", id: "uploadAttachment", run: (*call).attach, needs: toWrite, about: about{
			group: groupFiles, summary: "Upload an attachment", text: "A file of that name is replaced, unless overwrite is false or `If-None-Match: *` is sent.",
			takes: attachRequest{}, gives: map[int]any{201: attachAnswer{}}, fails: []int{404, 409, 412, 413},
			sample: map[string]any{"filename": "hello.txt", "content": "aGVsbG8K"}, sampled: "/pages/Home/attachments"}},
		{method: get, pattern: "pages/{path}/attachments/{filename}", id: "readAttachment", run: (*call).readAttachment, needs: toRead, about: about{
			group: groupFiles, summary: "Download an attachment", text: "With `Accept: application/octet-stream` the file as it is.",
			gives: map[int]any{200: attachmentAnswer{}}, fails: []int{404}, kinds: []string{"application/octet-stream"}, sampled: "/pages/Home/attachments/hello.txt"}},
		{method: del, pattern: "pages/{path}/attachments/{filename}", id: "deleteAttachment", run: (*call).detach, needs: toWrite, about: about{
			group: groupFiles, summary: "Delete an attachment", takes: detachRequest{}, gives: map[int]any{200: detachAnswer{}}, fails: []int{404, 412}, sampled: "/pages/Home/attachments/hello.txt"}},
	}
}
