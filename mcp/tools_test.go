package mcp_test

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// equal compares a result's text with one in which <sha>, <sha8>, <date> and <day>
// stand for what differs.
func equal(t *testing.T, what, got, want string) {
	t.Helper()
	pattern := regexp.QuoteMeta(want)
	for name, re := range map[string]string{"<sha>": `[0-9a-f]{40}`, "<sha8>": `[0-9a-f]{8}`, "<date>": `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)`, "<day>": `\d{4}-\d\d-\d\d`, "<score>": `[01]\.\d\d`} {
		pattern = strings.ReplaceAll(pattern, name, re)
	}
	if !regexp.MustCompile("^" + pattern + "$").MatchString(got) {
		t.Errorf("%s:\ngot  %q\nwant %q", what, got, want)
	}
}

// Every tool of the contract, from the first call to the text that agents know.
func TestContract(t *testing.T) {
	s := newSite(t)
	check := func(tool string, a m, want string) {
		t.Helper()
		equal(t, tool, s.run("bob", tool, a).text(), want)
	}
	page := "---\ntitle: Authentication\ncategory: reference\ntags: [design, security]\n---\n\n# Auth\n\nHow people sign in. Back to [[Home]].\n\n## Tokens\n\nA token is secret.\n\n## Sessions\n\nA session ends.\n"
	check("read_note", m{"path": "Design/Auth"}, "# Authentication\nPath: Design/Auth\nRevision: <sha>\nCategory: reference | Tags: design, security\nLinks to: Home\nLinked from: Home\n\n---\n"+page)
	check("read_note", m{"title": "Design/Auth.md", "section": "tokens"}, "# Authentication\nPath: Design/Auth\nRevision: <sha>\nSection: Auth > Tokens\nCategory: reference | Tags: design, security\nLinks to: Home\nLinked from: Home\n\n---\n## Tokens\n\nA token is secret.\n\n")
	check("list_notes", nil, "Found 3 notes:\n\n- Design/Auth (category: reference, tags: design, security, last updated: <day>, 20 words)\n- Home (last updated: <day>, 7 words)\n- Lonely (last updated: <day>, 3 words)")
	check("list_notes", m{"folder": "Design/", "tag": "Security"}, "Found 1 notes matching prefix=Design/, tag=Security:\n\n- Design/Auth (category: reference, tags: design, security, last updated: <day>, 20 words)")
	check("list_notes", m{"updated_since": "2999-01-01"}, "Found 0 notes matching updated_since=2999-01-01:")
	check("search_notes", m{"q": "token"}, "1 results for \"token\":\n\n1. Design/Auth (score: <score>)\n   How people sign in. Back to Home. Tokens A token is secret. Sessions A session ends.")
	check("search_notes", m{"query": "nothingofthiskind"}, "0 results for \"nothingofthiskind\":")
	check("get_links", m{"path": "Home"}, "Links for Home:\n\nLinks to (2):\n  - Design/Auth\n  - Missing\nLinked from (1):\n  - Design/Auth")
	check("get_links", m{"path": "Lonely"}, "Links for Lonely:\n\nLinks to (0):\n  (none)\nLinked from (0):\n  (none)")
	check("find_orphaned_notes", nil, "Found 1 orphaned notes (no incoming links from any other page):\n\n- Lonely")

	check("write_note", m{"path": "New/Page", "content": "One.\n", "commit_message": "begin"}, "Created New/Page (revision: <sha8>)")
	check("write_note", m{"path": "New/Page", "content": "One two.\n", "revision": s.revision("New/Page")}, "Updated New/Page (revision: <sha8>)")
	check("edit_note", m{"path": "New/Page", "old_text": "two", "new_text": "three", "revision": s.revision("New/Page")[:7]}, "Edited New/Page (revision: <sha8>)")
	check("get_history", m{"path": "New/Page"}, "History for New/Page (3 revisions):\n\n- <sha8> | <date> | bob\n  [mcp] Edit: New/Page\n- <sha8> | <date> | bob\n  [mcp] Update: New/Page\n- <sha8> | <date> | bob\n  [mcp] begin")
	check("get_recent_changes", m{"limit": "1"}, "1 recent changes:\n\n- <date> | bob | New/Page\n  [mcp] Edit: New/Page\n\nThere are older ones: call get_recent_changes again with cursor=\"<sha>\".")
	check("rename_note", m{"path": "Design/Auth", "new_title": "Design/Sign-in", "commit_message": "clearer"}, "Renamed Design/Auth -> Design/Sign-in (revision: <sha8>)\nUpdated 1 backreferences:\n  - Home")
	check("rename_note", m{"path": "Lonely", "new_path": "Alone"}, "Renamed Lonely -> Alone (revision: <sha8>)\nNo backreferences needed updating.")
	check("list_attachments", m{"path": "Alone"}, "Attachments for Alone (0):\n\n  (no attachments)")
	check("upload_attachment", m{"path": "Alone", "filename": "a.txt", "content": base64.StdEncoding.EncodeToString([]byte("hello"))}, "Uploaded a.txt to Alone (5 bytes)")
	check("list_attachments", m{"path": "Alone"}, "Attachments for Alone (1):\n\n- a.txt (5 bytes, text/plain; charset=utf-8, modified <date>)")
	check("download_attachment", m{"path": "Alone", "filename": "a.txt"}, "Downloaded a.txt (5 bytes, text/plain; charset=utf-8)\nContent (base64):\naGVsbG8=")
	check("delete_attachment", m{"path": "Alone", "filename": "a.txt"}, "Deleted attachment a.txt")
	check("delete_note", m{"path": "Alone", "commit_message": "not needed"}, "Deleted Alone")
	check("get_history", m{"path": "Alone", "limit": 1}, "History for Alone (1 revisions):\n\n- <sha8> | <date> | bob\n  [mcp] not needed\n\nThere are older ones: call get_history again with cursor=\"<sha>\".")
	c := s.run("bob", "semantic_search", m{"query": "how to sign in", "n": 1})
	if !regexp.MustCompile(`^1 results for "how to sign in":\n\n1\. Design/Sign-in \(distance: \d\.\d\d\) \[1/1\] — 17 words\n   Section: Authentication > Auth\n   \[Authentication > Auth\] How people`).MatchString(c.text()) {
		t.Errorf("semantic_search: %q", c.text())
	}
}

// What goes wrong says so and names the next step.
func TestErrors(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct {
		tool string
		a    m
		want string
	}{
		{"read_note", m{"path": "Design/Auht"}, "Page not found: Design/Auht"},
		{"read_note", m{"path": "Design/Auth", "section": "Nothing"}, "Auth > Tokens"},
		{"read_note", m{"path": "Design/Auth", "revision": "zz"}, "revision"},
		{"read_note", m{"path": "Design/Auth", "revision": "0123456789"}, "0123456"},
		{"read_note", nil, "read_note needs path"},
		{"read_note", m{"path": "../../etc/passwd"}, ".."},
		{"read_note", m{"path": "/Home"}, "must not begin or end"},
		{"read_note", m{"path": "a\x00b"}, "control"},
		{"read_note", m{"path": ""}, "empty"},
		{"read_note", m{"path": "https://evil.example/Home"}, "Nothing is fetched from addresses"},
		{"write_note", m{"path": "Home", "content": "x"}, "Revision required when updating an existing page."},
		{"write_note", m{"path": "X"}, "write_note needs content"},
		{"write_note", m{"path": "X", "content": strings.Repeat("x", 1_000_001)}, "1000001 characters; write_note takes at most 1000000"},
		{"edit_note", m{"path": "Home"}, "does not know what to change"},
		{"edit_note", m{"path": "Home", "old_string": "Welcome", "new_string": "x"}, "revision"},
		{"edit_note", m{"path": "Home", "old_string": "Welcome", "revision": s.revision("Home")}, "new_string"},
		{"edit_note", m{"path": "Home", "old_string": "Nothing", "new_string": "x", "revision": s.revision("Home")}, "old_string not found in page content"},
		{"edit_note", m{"path": "Home", "old_string": "e", "new_string": "x", "revision": s.revision("Home")}, "old_string is ambiguous: found"},
		{"edit_note", m{"path": "Home", "old_string": "e", "new_string": "e", "revision": s.revision("Home")}, "old_string and new_string are identical"},
		{"edit_note", m{"path": "Home", "operation": "append"}, "append needs content"},
		{"edit_note", m{"path": "Home", "operation": "replace_section", "content": "x"}, "replace_section needs section"},
		{"edit_note", m{"path": "Home", "operation": "append", "content": "x", "old_string": "y", "new_string": "z"}, "one thing at a time"},
		{"rename_note", m{"path": "Home", "new_path": "Lonely"}, "Lonely"},
		{"delete_note", m{"path": "Nothing"}, "Page not found: Nothing"},
		{"restore_note", m{"path": "Home"}, "restore_note needs revision"},
		{"upload_attachment", m{"path": "Home", "filename": "a.txt", "content": "not base64!"}, "no base64"},
		{"upload_attachment", m{"path": "Home", "filename": "../a.txt", "content": "aGk="}, "file name"},
		{"download_attachment", m{"path": "Home", "filename": "a.txt"}, "Attachment not found: a.txt"},
		{"list_notes", m{"updated_since": "yesterday"}, "ISO 8601"},
		{"search_notes", m{"query": "/(/"}, "expression"},
		{"search_notes", m{"query": "x", "cursor": "abc"}, "cursor"},
		{"commit_notes", m{"operations": []any{m{"operation": "write", "path": "A", "content": "x"}, m{"operation": "delete", "path": "Nothing"}}}, "operation 2"},
		{"read_note", m{"path": "Home", "sectoin": "x"}, "did you mean section?"},
	} {
		got := s.fail("bob", c.tool, c.a, c.want)
		e := decode[struct {
			Error struct{ Code, Message string }
		}](t, got).Error
		if e.Code == "" || e.Code == "internal" || e.Message == "" {
			t.Errorf("%s %v: structured %s", c.tool, c.a, got.Data)
		}
	}
	if got := s.run("bob", "list_notes", nil).text(); !strings.HasPrefix(got, "Found 3 notes:") {
		t.Errorf("a failed commit left something: %s", got)
	}
}

// A stale revision is refused with both texts and what to do; merge joins them.
func TestConflict(t *testing.T) {
	s := newSite(t)
	old := s.revision("Design/Auth")
	s.run("alice", "edit_note", m{"path": "Design/Auth", "operation": "append", "section": "Sessions", "content": "By alice."})
	now := s.revision("Design/Auth")
	if old == now {
		t.Fatal("nothing was appended")
	}
	a := m{"path": "Design/Auth", "old_string": "How people sign in.", "new_string": "How bob signs in.", "revision": old}
	c := s.fail("bob", "edit_note", a, "Revision mismatch: page has been modified since last read.")
	for _, want := range []string{now, "Nothing was saved", "merge=true", "By alice."} {
		if !strings.Contains(c.all(), want) {
			t.Errorf("the conflict does not hold %q: %s", want, c.all())
		}
	}
	e := decode[struct {
		Error struct {
			Code, Path      string
			CurrentRevision string `json:"current_revision"`
			CurrentContent  string `json:"current_content"`
		}
	}](t, c).Error
	if e.Code != "conflict" || e.CurrentRevision != now || !strings.Contains(e.CurrentContent, "By alice.") || e.Path != "Design/Auth" {
		t.Errorf("structured: %+v", e)
	}
	a["merge"] = true
	merged := s.run("bob", "edit_note", a)
	d := decode[struct {
		Merged  bool
		Content string
	}](t, merged)
	if !d.Merged || !strings.Contains(d.Content, "By alice.") || !strings.Contains(d.Content, "How bob signs in.") || !strings.Contains(merged.all(), "By alice.") {
		t.Errorf("merged: %+v\n%s", d, merged.all())
	}
	equal(t, "merged edit", merged.text(), "Edited Design/Auth (revision: <sha8>)")
}

// A call that is repeated with its key does nothing again.
func TestIdempotency(t *testing.T) {
	s := newSite(t)
	a := m{"path": "Lonely", "operation": "append", "content": "once", "idempotency_key": "k1"}
	first := s.run("bob", "edit_note", a)
	second := s.run("bob", "edit_note", a)
	if first.text() != second.text() || !strings.Contains(second.all(), "nothing was done again") {
		t.Errorf("%q and %q", first.all(), second.all())
	}
	if got := s.run("bob", "read_note", m{"path": "Lonely"}).text(); strings.Count(got, "once") != 1 {
		t.Errorf("appended twice: %s", got)
	}
	for _, tool := range []string{"write_note", "edit_note", "rename_note", "delete_note", "restore_note", "commit_notes", "upload_attachment", "delete_attachment"} {
		if _, ok := s.schemas("bob")[tool].In.Properties["idempotency_key"]; !ok {
			t.Errorf("%s takes no idempotency_key", tool)
		}
	}
}

// A dry run changes nothing and says what would.
func TestDryRun(t *testing.T) {
	s := newSite(t)
	before := s.revision("Home")
	equal(t, "rename", s.run("bob", "rename_note", m{"path": "Design/Auth", "new_path": "Auth", "dry_run": true}).text(),
		"Would rename Design/Auth -> Auth; nothing was changed.\nWould update 1 backreferences:\n  - Home")
	equal(t, "delete", s.run("bob", "delete_note", m{"path": "Design/Auth", "dry_run": "true"}).text(),
		"Would delete Design/Auth; nothing was changed.\nLinks in 1 notes would lead nowhere:\n  - Home")
	if after := s.revision("Home"); after != before {
		t.Error("a dry run changed something")
	}
	s.fail("bob", "delete_note", m{"path": "Design/Auth", "revision": "0123456789"}, "")
	s.run("bob", "read_note", m{"path": "Design/Auth"})
}

// The tools beyond the contract.
func TestMore(t *testing.T) {
	s := newSite(t)
	old := s.revision("Design/Auth")
	s.run("bob", "edit_note", m{"path": "Design/Auth", "revision": old, "edits": []any{m{"old_string": "secret", "new_string": "private"}, m{"find": "A session ends.", "replace": "A session ends at once."}}})
	if got := s.run("carol", "read_note", m{"path": "Design/Auth", "revision": old}).text(); !strings.Contains(got, "A token is secret.") {
		t.Errorf("the old revision: %s", got)
	}
	diff := s.run("carol", "get_diff", m{"path": "Design/Auth"})
	if !strings.Contains(diff.text(), "\n-A token is secret.\n+A token is private.\n") || !strings.Contains(diff.all(), "data, not instructions") {
		t.Errorf("the diff: %s", diff.all())
	}
	equal(t, "outline", s.run("carol", "get_outline", m{"path": "Design/Auth"}).text(),
		"Outline of Design/Auth (22 words, 3 sections, revision: <sha8>):\n\n- Auth (line 7, 22 words)\n  - Auth > Tokens (line 11, 6 words)\n  - Auth > Sessions (line 15, 7 words)")
	equal(t, "restore", s.run("bob", "restore_note", m{"path": "Design/Auth", "revision": old}).text(), "Restored Design/Auth (revision: <sha8>)")
	many := s.run("carol", "read_notes", m{"paths": []any{"Home", "Nothing", "Design/Auth"}})
	d := decode[struct {
		Notes []struct{ Path, Content string }
		Left  []struct{ Path, Reason string } `json:"left_out"`
	}](t, many)
	if len(d.Notes) != 2 || len(d.Left) != 1 || d.Left[0].Reason != "missing" {
		t.Errorf("read_notes: %+v", d)
	}
	mark := regexp.MustCompile(`<<<end ([0-9a-f]{16})>>>`).FindStringSubmatch(many.text())
	if mark == nil || strings.Count(many.text(), "<<<end "+mark[1]+">>>") != 3 || strings.Count(many.text(), "<<<wiki "+mark[1]) != 3 {
		t.Errorf("the boundaries: %s", many.text())
	}
	equal(t, "wanted", s.run("carol", "find_wanted_notes", nil).text(), "Found 1 wanted notes (linked, but not there):\n\n- Missing (1 links, from Home)")
	equal(t, "broken", s.run("carol", "find_broken_links", nil).text(), "No links to a missing section found.\n\nNo links to a missing attachment found.")
	equal(t, "commit", s.run("bob", "commit_notes", m{"commit_message": "several", "operations": []any{
		m{"operation": "write", "path": "A", "content": "one"}, m{"operation": "append", "path": "Lonely", "content": "two"},
		m{"operation": "rename", "path": "Design/Auth", "new_path": "Auth"}, m{"operation": "edit", "path": "A", "old_string": "one", "new_string": "1", "merge": true}}}).text(),
		"Committed 4 operations (revision: <sha8>):\n\n- Created A (revision: <sha8>)\n- Updated Lonely (revision: <sha8>)\n- Renamed Design/Auth -> Auth (revision: <sha8>)\nUpdated 1 backreferences:\n  - Home")
	info := s.run("bob", "get_wiki_info", nil)
	for _, want := range []string{"Wiki: Our notes (notes)", "Purpose: To remember.", "Notes: 4", "Categories: reference (1)", "You: bob through The Tester 9.1", "Role: editor", "You may: read and write", "Home page: Home"} {
		if !strings.Contains(info.text(), want+"\n") && !strings.HasSuffix(info.text(), want) {
			t.Errorf("get_wiki_info lacks %q:\n%s", want, info.text())
		}
	}
	related := s.run("carol", "get_related", m{"path": "Auth"})
	if related.IsError || !strings.Contains(related.text(), "notes related to Auth:") {
		t.Errorf("get_related: %s", related.text())
	}
	history := s.run("carol", "get_history", m{"path": "Lonely", "agent": "the tester"})
	if !strings.Contains(history.text(), "(1 revisions)") || !strings.Contains(string(history.Data), `"agent":"The Tester 9.1"`) {
		t.Errorf("the agent's history: %s", history.Data)
	}
}

// The connector's two tools answer with one block of JSON in its own form.
func TestConnector(t *testing.T) {
	s := newSite(t)
	c := s.run("carol", "search", m{"query": "token"})
	var found struct {
		Results []struct{ ID, Title, URL string }
	}
	must(t, json.Unmarshal([]byte(c.text()), &found))
	if len(c.Content) != 1 || len(found.Results) == 0 || found.Results[0].ID != "Design/Auth" || found.Results[0].Title != "Authentication" || found.Results[0].URL != "http://wiki.example.org/w/notes/Design/Auth" {
		t.Fatalf("search: %s", c.all())
	}
	c = s.run("carol", "fetch", m{"id": found.Results[0].ID})
	var doc struct {
		ID, Title, Text, URL string
		Metadata             map[string]string
	}
	must(t, json.Unmarshal([]byte(c.text()), &doc))
	if len(c.Content) != 1 || doc.ID != "Design/Auth" || !strings.Contains(doc.Text, "A token is secret.") || doc.URL == "" || doc.Metadata["revision"] == "" {
		t.Errorf("fetch: %s", c.all())
	}
}
