package webhooks

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"wikibot/notes"
	"wikibot/wiki"
)

// The types of messages.
const (
	TypeChange = "wiki.change"
	TypeReset  = "wiki.reset" // the history is another one; read the wiki anew
	TypePing   = "ping"
)

// Bounds of a body: a commit may change 300,000 files and have a megabyte of message.
const (
	maxMessage = 16 << 10  // bytes of the commit's message
	maxListed  = 200 << 10 // bytes of paths
)

// message is what is sent, the same each time but for the signature.
type message struct {
	id       string
	kind     string
	revision wiki.Revision
	body     []byte
}

// body is the JSON of a message.
type body struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"` // of a change the author's date
	Data      data      `json:"data"`
}

type data struct {
	Wiki     wiki.Slug     `json:"wiki"`
	Revision wiki.Revision `json:"revision,omitempty"` // the commit; of a reset the newest one
	Author   string        `json:"author,omitempty"`   // as the commit says
	Actor    wiki.Username `json:"actor,omitempty"`    // whom the server knows to have brought it
	Agent    string        `json:"agent,omitempty"`
	Via      wiki.Via      `json:"via,omitempty"`
	Date     *time.Time    `json:"date,omitempty"`
	Message  string        `json:"message,omitempty"`
	Pages    []changed     `json:"pages,omitempty"`
	Files    []changed     `json:"files,omitempty"` // attachments
	More     int           `json:"more,omitempty"`  // changes that are not listed
	URL      string        `json:"url"`             // where a person sees it
}

type changed struct {
	Path string `json:"path"`
	Kind string `json:"kind"` // added, modified, deleted, renamed
	From string `json:"from,omitempty"`
}

// message is what an event is for this webhook; false where it is not for it.
func (w *worker) message(ev notes.Event) (message, bool) {
	c := ev.Commit
	site := w.e.Addresses
	if ev.Reset {
		b := body{Type: TypeReset, Timestamp: w.e.Now().UTC(), Data: data{Wiki: w.slug, Revision: c.Revision, URL: site.Absolute(w.slug)}}
		return w.finish(b), true
	}
	date := c.Date.UTC()
	d := data{Wiki: w.slug, Revision: c.Revision, Author: cut(c.Author, 200), Actor: c.Actor, Agent: cut(c.Agent, 200), Via: c.Via, Date: &date,
		URL: absolute(site, w.slug, "commit/"+string(c.Revision))}
	d.Message = c.Subject
	if c.Body != "" {
		d.Message += "\n\n" + c.Body
	}
	d.Message = cut(d.Message, maxMessage)
	if !d.list(c.Changes, w.hook.Prefix) {
		return message{}, false
	}
	return w.finish(body{Type: TypeChange, Timestamp: date, Data: d}), true
}

func absolute(a wiki.Addresses, slug wiki.Slug, view string) string {
	return a.Absolute(slug) + "/-/" + view
}

// list names what a commit changed below a prefix; false where that is nothing. A
// commit without changes is told where there is no prefix.
func (d *data) list(changes []wiki.FileChange, prefix string) bool {
	size, found := 0, prefix == ""
	for _, f := range changes {
		page, to := pathOf(f.File)
		_, from := pathOf(f.From)
		if to == "" {
			continue // the server's own, such as the redirects
		}
		if !strings.HasPrefix(to, prefix) && (from == "" || !strings.HasPrefix(from, prefix)) {
			continue
		}
		found = true
		if size += len(to) + len(from); size > maxListed {
			d.More++
			continue
		}
		c := changed{Path: to, Kind: kindWord(f.Kind), From: from}
		if page {
			d.Pages = append(d.Pages, c)
		} else {
			d.Files = append(d.Files, c)
		}
	}
	return found
}

// pathOf is a file of the tree as people name it; empty where it is neither a page
// nor an attachment.
func pathOf(file string) (page bool, path string) {
	if p, ok := wiki.PageOfFile(file); ok {
		return true, string(p)
	}
	if f, ok := wiki.PathOfFile(file); ok {
		return false, string(f)
	}
	return false, ""
}

func kindWord(k wiki.ChangeKind) string {
	switch k {
	case wiki.Added:
		return "added"
	case wiki.Deleted:
		return "deleted"
	case wiki.Renamed:
		return "renamed"
	}
	return "modified"
}

// cut shortens a text to at most so many bytes, at a character's end.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// finish makes the bytes. The id is made of what the message is about, so that it is
// the same after a restart as well.
func (w *worker) finish(b body) message {
	return finish(w.key, b)
}

func finish(key string, b body) message {
	text, err := json.Marshal(b)
	if err != nil {
		text = []byte(`{"type":"` + b.Type + `"}`) // a type of ours: it cannot fail
	}
	about := key + "\x00" + b.Type + "\x00" + string(b.Data.Revision)
	if b.Type == TypePing {
		about += b.Timestamp.Format(time.RFC3339Nano)
	}
	sum := sha256.Sum256([]byte(about))
	return message{id: "msg_" + hex.EncodeToString(sum[:16]), kind: b.Type, revision: b.Data.Revision, body: text}
}
