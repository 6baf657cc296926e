package gitstore

import (
	"strings"

	"wikibot/gitstore/internal/rewrite"
	"wikibot/wiki"
)

// PurgeRequest says what is to go.
type PurgeRequest struct {
	Paths  []string // files on main, other branches and tags; folders with a final slash
	Text   string   // wherever it stands, in contents, names and messages
	People string   // other names and addresses for people, in the format of gitmailmap(5)
	DryRun bool     // only say what would change
}

// leastText is the least length of a text in bytes: a shorter one is everywhere.
const leastText = 4

// rules checks a request.
func (q *PurgeRequest) rules() (rewrite.Rules, error) {
	rules := rewrite.Rules{Text: strings.TrimSuffix(strings.TrimSuffix(q.Text, "\n"), "\r")}
	for _, path := range q.Paths {
		clean := strings.TrimPrefix(path, "/")
		if clean == "" || strings.Contains("/"+clean+"/", "/../") || strings.Contains(clean, "//") || strings.HasPrefix(clean, ".wikibot") {
			return rules, wiki.Invalid("path", "%q is no file of a wiki's pages; name it as git ls-tree does, such as Design/Auth.md, a folder with a slash at its end", path)
		}
		rules.Drop = append(rules.Drop, clean)
	}
	var err error
	if rules.People, err = rewrite.ParsePeople(q.People); err != nil {
		return rules, wiki.Invalid("author", "the file of people: %v", err)
	}
	for _, p := range rules.People {
		if strings.EqualFold(p.ToEmail, ServerEmail) || strings.EqualFold(p.Email, ServerEmail) {
			return rules, wiki.Invalid("author", "%s is the server's own address, by which it knows its commits; it stays", ServerEmail)
		}
	}
	switch text := rules.Text; {
	case text == "" && len(rules.Drop) == 0 && len(rules.People) == 0:
		return rules, wiki.Invalid("purge", "say what is to go: --path FILE, --text FILE-WITH-THE-TEXT, or --author FILE-OF-PEOPLE")
	case text == "":
	case len(strings.TrimSpace(text)) < leastText:
		return rules, wiki.Invalid("text", "the text has fewer than %d characters, and would be found everywhere; give more of what is around it", leastText)
	case strings.Contains(rewrite.Mark, text):
		return rules, wiki.Invalid("text", "the text is part of the mark %s that takes its place; give more of what is around it", rewrite.Mark)
	}
	return rules, nil
}
