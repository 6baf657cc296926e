package mcp

// kind is what a parameter holds.
type kind byte

const (
	aText        kind = iota
	aNumber           // a whole number
	aFlag             // true or false
	aTextList         // a list of texts
	anObjectList      // a list of objects, each with parameters of its own
)

// param is one parameter of a tool. Its schema is what clients see; fill reads
// what they send, which may be more loosely spelt.
type param struct {
	name     string
	kind     kind
	doc      string
	required bool
	def      any      // as the schema shows it; also what an absent argument is
	min, max int      // of a number; a list has at most max members. Numbers outside are moved to the nearest
	choices  []string // a text is one of these
	limit    int      // most characters of a text; 0: maxText
	of       []param  // of an object in a list
	aliases  []string // other names that models guess, in the spelling of norm
}

// maxText is the most characters of a text parameter that names no limit of its
// own: more than the longest path, query or message.
const maxText = 10_000

// maxContent is the most characters of a page's text that a tool takes.
const maxContent = 1_000_000

// The parameters that several tools have.
func pathParam(doc string) param {
	return param{name: "path", kind: aText, required: true, doc: doc,
		aliases: []string{"title", "name", "page", "note", "page_path", "note_path", "file_path", "id", "uri", "page_name", "note_name", "pagename", "filepath"}}
}

func revisionParam(doc string) param {
	return param{name: "revision", kind: aText, def: "", doc: doc,
		aliases: []string{"rev", "sha", "version", "base_revision", "expected_revision", "at"}}
}

func contentParam(doc string) param {
	return param{name: "content", kind: aText, limit: maxContent, doc: doc,
		aliases: []string{"text", "body", "markdown", "contents", "new_content"}}
}

func messageParam() param {
	return param{name: "commit_message", kind: aText, def: "", doc: "One line for the history on what changed and why.",
		aliases: []string{"message", "summary", "comment", "edit_summary"}}
}

func keyParam() param {
	return param{name: "idempotency_key", kind: aText, def: "", doc: "Any text of your own. A repeated call with it answers with the first one's result and changes nothing again: use it to retry a call whose answer was lost.",
		limit: 200, aliases: []string{"key", "idempotency", "request_id"}}
}

func limitParam(def, most int, what string) param {
	return param{name: "limit", kind: aNumber, def: def, min: 1, max: most, doc: "Most " + what + ".",
		aliases: []string{"n", "max", "count", "max_results", "top_k", "size", "page_size", "first", "num_results"}}
}

func cursorParam() param {
	return param{name: "cursor", kind: aText, def: "", doc: "Goes on where an earlier answer ended: its cursor.",
		aliases: []string{"after", "next", "page_token", "next_cursor", "offset"}}
}

func queryParam(doc string) param {
	return param{name: "query", kind: aText, required: true, doc: doc,
		aliases: []string{"q", "search", "term", "terms", "text", "keywords", "search_query", "question"}}
}

func prefixParam(doc string) param {
	return param{name: "prefix", kind: aText, def: "", doc: doc,
		aliases: []string{"folder", "directory", "dir", "path", "path_prefix", "under", "parent"}}
}

func filenameParam(doc string) param {
	return param{name: "filename", kind: aText, required: true, doc: doc,
		aliases: []string{"file", "file_name", "attachment", "attachment_name", "name"}}
}

func mergeParam() param {
	return param{name: "merge", kind: aFlag, def: false, doc: "If the note has changed since revision, merge both changes instead of refusing; the answer then holds the resulting text. Changes of the same lines are still refused.",
		aliases: []string{"auto_merge", "allow_merge"}}
}

func dryRunParam(doc string) param {
	return param{name: "dry_run", kind: aFlag, def: false, doc: doc,
		aliases: []string{"dryrun", "preview", "simulate"}}
}
