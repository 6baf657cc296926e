package browser

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"wikibot/wiki"
)

// TestGraph: the drawing of the links is made, moves along with keys, opens a page by
// a key and by a click, and leaves the list to those who want it.
func TestGraph(t *testing.T) {
	s := serve(t)
	s.edit("Garden/Beds", "[[Compost]] [[Garden/Tools]]")
	s.edit("Garden/Tools", "[[Garden/Beds]]")
	for i := range 8 {
		s.edit(wiki.PagePath(fmt.Sprint("Garden/Plant ", i)), "[[Garden/Beds]]")
	}
	for _, dark := range []bool{false, true} {
		p := s.browser(1280, 900, dark)
		var err error
		if s.link, _, err = s.server.Fresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.signIn()
		p.open("/w/notes/-/graph?around=Garden/Beds")
		p.do(chromedp.WaitVisible(chromedp.CSS("#Canvas[data-ready]")))
		p.shot(fmt.Sprint("graph-dark-", dark))
		p.see("#Said", "Garden/Beds: 9 pages link here")
		if inked := run(p, chromedp.Evaluate[int](`(() => { const c = document.querySelector("#Canvas"), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
			let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i] > 200) n++; return n })()`)); inked < 500 {
			t.Errorf("the drawing has %d dots", inked)
		}
		if run(p, chromedp.Evaluate[bool](`document.querySelector("#AsList").open`)) {
			t.Error("the list stands open below the drawing")
		}
		p.do(chromedp.Focus(chromedp.CSS("#Canvas")))
		said := map[string]bool{}
		for _, key := range []string{"ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"} {
			p.key(key)
			said[p.text("#Said")] = true
		}
		if len(said) < 2 {
			t.Errorf("on four arrows it says %v", said)
		}
		p.key("0")
		p.key("Enter")
		for range 100 {
			if where := run(p, chromedp.Location()); !strings.Contains(where, "/-/graph") {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if where := run(p, chromedp.Location()); strings.Contains(where, "/-/graph") {
			t.Errorf("Enter leads to %s", where)
		}
		if c := p.complaints(); len(c) > 0 {
			t.Errorf("the browser complained: %q", c)
		}
	}
}

// key presses one key of the page's own.
func (p *person) key(name string) {
	p.t.Helper()
	run(p, chromedp.Evaluate[bool](fmt.Sprintf(`document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: %q, bubbles: true, cancelable: true })) || true`, name)))
}

// TestLookingBack: a search in history goes on by itself to its end.
func TestLookingBack(t *testing.T) {
	s := serve(t)
	for i := range 120 {
		s.edit(wiki.PagePath(fmt.Sprint("Hay ", i)), fmt.Sprintf("haystack %d\n", i))
	}
	p := s.browser(390, 844, false)
	p.signIn()
	p.open("/w/notes/-/history-search?q=haystack")
	for range 200 {
		if run(p, chromedp.Evaluate[int](`document.querySelectorAll("#Found > li").length`)) == 120 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.see("#Found", "Hay 0")
	p.see("#Progress", "Looked at all")
	p.shot("looking-back")
	if buttons := run(p, chromedp.Evaluate[int](`document.querySelectorAll("#Further *").length`)); buttons != 0 {
		t.Errorf("at the end there are %d things to press", buttons)
	}
	if c := p.complaints(); len(c) > 0 {
		t.Errorf("the browser complained: %q", c)
	}
}
