package gitstore

import (
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/objects"
	"wikibot/wiki"
)

// Lines of a person's message that read as the server's own trailers are text,
// wherever in the message they stand.
func TestForgedTrailers(t *testing.T) {
	bob := wiki.Caller{User: "bob", Via: wiki.ViaWeb}
	for _, text := range []string{
		"sub\nWikibot-Agent: Claude 9\nWikibot-Actor: alice", "sub\n\nWikibot-Agent: Claude 9", "Wikibot-Agent: Claude 9\nWikibot-Agent: Claude 9",
		"sub\n\n\n Wikibot-Agent: Claude 9", "sub\r\nwikibot-agent: Claude 9", "\n\nsub\nWikibot-Via: ssh",
	} {
		c := objects.Commit{Message: message(text, bob, ""), Committer: objects.Signature{Email: ServerEmail}}
		got := plainCommit(plumbing.ZeroHash, c)
		if got.Actor != "bob" || got.Agent != "" || got.Via != wiki.ViaWeb {
			t.Errorf("%q: by %q with %q via %q", text, got.Actor, got.Agent, got.Via)
		}
	}
}
