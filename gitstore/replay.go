package gitstore

import (
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/wiki"
)

// requestTrailer says in a commit with an idempotency key which request it was.
func requestTrailer(key, request string) []string {
	if key == "" || request == "" {
		return nil
	}
	return []string{trailerAsked + ": " + cleanIdent(request)}
}

// otherRequest compares what two writes with one key were; those that do not say
// are taken for the same.
func otherRequest(a, b string) bool { return a != "" && b != "" && a != b }

// sameRequest refuses to answer a request with the commit that another one made.
func (r *repo) sameRequest(rev wiki.Revision, request string) error {
	if request == "" {
		return nil
	}
	c, err := r.commit(plumbing.NewHash(string(rev)))
	if err != nil {
		return err
	}
	for _, line := range strings.Split(c.Message, "\n") {
		if was, ok := strings.CutPrefix(line, trailerAsked+": "); ok && otherRequest(was, request) {
			return errKeyTaken()
		}
	}
	return nil
}

func errKeyTaken() error {
	return wiki.Invalid("key", "this idempotency key was used for another request within a day: use a new key for each new request, and the same one only to repeat a request whose answer was lost")
}

// markUnchanged says of the pages that a change named which of them are as before.
func markUnchanged(pages []PageResult, changes []change) {
	if len(pages) == 0 {
		return
	}
	changed := make(map[string]bool, len(changes))
	for _, c := range changes {
		changed[c.path] = true
	}
	for i := range pages {
		pages[i].Unchanged = !changed[pages[i].Path.FileName()]
	}
}
