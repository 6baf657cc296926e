package gitstore

import (
	"crypto/sha1"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"wikibot/markdown"
	"wikibot/wiki"
)

// TestLinkIndexMovesAlong: whatever pages and files come, go and change, an index
// that was moved is the one that would be built.
func TestLinkIndexMovesAlong(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	names := []string{"Home", "A/Home", "A/B/Note", "note", "C d", "A/C_d", "Ünï", "a", "A/x.png", "x.png", "B/pic.PNG", "A/B/doc.pdf"}
	targets := append([]string{"Nowhere", "A/Nowhere", "nowhere", "../Note", "./Home", "gone.png", "x", "B/Note", "C%20d"}, names...)
	texts := map[string]string{} // by file of the tree
	root := emptyFolder()
	moved, err := newLinkIndex(markdown.TargetFirst, root)
	if err != nil {
		t.Fatal(err)
	}
	for step := range 400 {
		next := root
		for range 1 + rnd.IntN(3) {
			name := names[rnd.IntN(len(names))]
			file := wiki.FilePath(name).FileName()
			if !strings.Contains(name, ".") {
				file = wiki.PagePath(name).FileName()
			}
			var e *entry
			if delete(texts, file); rnd.IntN(3) > 0 {
				text := fmt.Sprintln("# S", step, rnd.IntN(3))
				for range rnd.IntN(5) {
					to := targets[rnd.IntN(len(targets))]
					text += []string{"[[%s]]\n", "[x](%s)\n", "![](%s) ", "![[%s]]\n", "[[%s#S]]\n", "[h](https://%s)\n"}[rnd.IntN(6)]
					text = strings.Replace(text, "%s", to, 1)
				}
				texts[file] = text
				e = &entry{mode: modeFile, oid: sha1.Sum([]byte(text))}
			}
			if next, err = next.with(file, e); err != nil {
				t.Fatal(err)
			}
		}
		moveIndex(t, moved, next, texts)
		root = next
		fresh, err := newLinkIndex(markdown.TargetFirst, root)
		if err != nil {
			t.Fatal(err)
		}
		changes, err := diff(fresh.seen, root)
		if err != nil {
			t.Fatal(err)
		}
		fresh.move(root, changes, linksOf(changes, texts))
		for what, pair := range map[string][2]any{
			"pages": {moved.pages, fresh.pages}, "naming": {moved.naming, fresh.naming},
			"into": {moved.into, fresh.into}, "broken": {moved.broken, fresh.broken},
		} {
			if !reflect.DeepEqual(pair[0], pair[1]) {
				t.Fatalf("step %d: %s of the moved index are\n%v\nof a new one\n%v", step, what, pair[0], pair[1])
			}
		}
	}
}

func moveIndex(t *testing.T, x *linkIndex, to *folder, texts map[string]string) {
	t.Helper()
	changes, err := diff(x.seen, to)
	if err != nil {
		t.Fatal(err)
	}
	x.names.apply(changes)
	x.move(to, changes, linksOf(changes, texts))
}

func linksOf(changes []change, texts map[string]string) [][]markdown.Link {
	out := make([][]markdown.Link, len(changes))
	for i, c := range changes {
		if _, ok := wiki.PageOfFile(c.path); ok && c.new != nil {
			out[i] = withinWiki(markdown.Links([]byte(texts[c.path]), markdown.TargetFirst))
		}
	}
	return out
}
