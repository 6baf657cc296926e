package browser

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"wikibot/wiki"
)

// garden are pages to be found.
func garden(s *site) {
	s.edit("Garden/Tomatoes", "---\ncategory: crop\ntags: [red]\n---\n# Tomatoes\n\nSow in March.\n\n## Watering\n\nWater them every evening.\n\n"+strings.Repeat("And then the rest of it.\n\n", 80))
	for i := range 30 {
		s.edit(wiki.PagePath(fmt.Sprintf("Garden/Beetle %d", i)), fmt.Sprintf("# Beetle %d\n\nIt sits on the tomatoes.\n", i))
	}
}

// is waits until an expression is true of the page.
func (p *person) is(expression string) {
	p.t.Helper()
	for range 200 {
		if run(p, chromedp.Evaluate[bool]("!!("+expression+")")) {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	p.shot("is-not")
	p.t.Fatalf("at %s it never came true that %s; the page says\n%s", run(p, chromedp.Location()), expression, p.text("main"))
}

// press presses keys one after the other, each as one event with its text: what the
// page prevents does not happen then, as with a real key.
func (p *person) press(keys ...string) {
	p.t.Helper()
	codes := map[string]int64{"ArrowDown": 40, "ArrowUp": 38, "Enter": 13, "Escape": 27, "Backspace": 8}
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for _, key := range keys {
			e := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Code: key, WindowsVirtualKeyCode: codes[key]}
			switch {
			case key == "Enter":
				e.Text = "\r"
			case codes[key] == 0:
				e.Text, e.Code = key, ""
			}
			if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, e); err != nil {
				return err
			}
			e.Type, e.Text = input.DispatchKeyEventTypeKeyUp, ""
			if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, e); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (p *person) typeIn(text string) {
	p.t.Helper()
	p.press(strings.Split(text, "")...)
}

const focused = `document.activeElement.closest(".hit")?.querySelector("h2").textContent`

// TestSearchWhileTyping: results come with every word, the address follows, and
// everything can be done with the keyboard.
func TestSearchWhileTyping(t *testing.T) {
	s := serve(t)
	garden(s)
	p := s.browser(1280, 900, false)
	p.signIn()
	p.open("/w/notes/-/search")
	p.is(`document.activeElement.id == "Query" && document.documentElement.classList.contains("script")`)
	run(p, chromedp.Evaluate[bool](`window.before = true`))
	p.typeIn("tomatoes")
	p.is(`document.querySelectorAll(".hit").length == 20`)
	p.is(`location.search == "?q=tomatoes" && document.title.startsWith("tomatoes")`)
	p.is(`document.activeElement.id == "Query" && window.before`) // nothing was loaded anew
	p.is(`document.querySelector("#Live").textContent == "31 pages found"`)
	p.shot("search-typed")
	p.typeIn(" water")
	p.is(`document.querySelector(".hit h2").textContent == "Tomatoes"`)
	p.is(`document.querySelector("#Live").textContent.includes("1 page holds every word")`)

	// Down into the results, through them, and back.
	p.press("ArrowDown")
	p.is(focused + ` == "Tomatoes"`)
	p.press("j")
	p.is(focused + `.startsWith("Beetle")`)
	p.press("ArrowDown")
	p.press("k")
	p.press("ArrowUp")
	p.is(focused + ` == "Tomatoes"`)
	p.shot("search-selected")
	p.press("ArrowUp")
	p.is(`document.activeElement.id == "Query"`)
	p.press("Escape")
	p.is(`document.activeElement == document.body && document.querySelector("#Query").value == "tomatoes water"`)
	p.press("/")
	p.is(`document.activeElement.id == "Query"`)

	// What is half typed is wrong for a moment only; what stays wrong is said.
	p.typeIn(" updated:so")
	p.is(`document.querySelector("#Fault mark")?.textContent == "so"`)
	p.is(`document.querySelector("#Live").textContent.includes("is no time")`)
	p.press(slices.Repeat([]string{"Backspace"}, len(" updated:so"))...)
	p.is(`document.querySelectorAll(".hit").length == 20`)

	// A condition is a link; a mode is chosen; what is typed goes along.
	p.submit(`.facets a[href*="category%3Acrop"]`)
	p.is(`document.querySelectorAll(".hit").length == 1 && document.querySelector("#Query").value == "tomatoes water category:crop"`)
	p.do(chromedp.Click(chromedp.CSS(`.ask-how label:nth-of-type(2)`)))
	p.is(`location.search.includes("mode=hybrid")`)

	// Enter opens the page at the section that was found, and back is the search.
	p.do(chromedp.Focus(chromedp.CSS("#Query")))
	p.press("ArrowDown")
	run(p, chromedp.Evaluate[bool](`window.before = true`))
	p.press("Enter")
	p.is(`!window.before && location.pathname == "/w/notes/Garden/Tomatoes" && location.hash == "#watering"`)
	run(p, chromedp.Evaluate[bool](`history.back() ?? true`))
	p.is(`document.querySelectorAll(".hit").length == 1 && document.querySelector("#Query").value == "tomatoes water category:crop"`)
	if faults := p.complaints(); len(faults) > 0 {
		t.Errorf("scripts failed: %q", faults)
	}
}

// TestSuggestions: the field of every page suggests pages, by keyboard and as the
// roles of a combobox tell it to a screen reader.
func TestSuggestions(t *testing.T) {
	s := serve(t)
	garden(s)
	p := s.browser(1280, 900, false)
	p.signIn()
	p.open("/w/notes/Home")
	p.is(`document.querySelector("#Find").getAttribute("role") == "combobox" && document.querySelector("#Find").getAttribute("aria-expanded") == "false"`)
	p.press("/")
	p.typeIn("tom")
	p.is(`document.querySelectorAll("#Suggestions [role=option]").length == 2`)
	p.is(`document.querySelector("#Find").getAttribute("aria-expanded") == "true" && document.querySelector("#Find").getAttribute("aria-controls") == "Suggestions"`)
	p.is(`document.querySelector("#Suggestions mark").textContent == "Tom"`)
	p.is(`document.querySelector(".find [role=status]").textContent == "1 suggestion"`)
	const active = `document.getElementById(document.querySelector("#Find").getAttribute("aria-activedescendant"))`
	p.press("ArrowDown")
	p.is(active + `?.textContent.includes("Garden/Tomatoes") && ` + active + `.getAttribute("aria-selected") == "true" && document.activeElement.id == "Find"`)
	p.shot("suggestions")
	p.press("ArrowDown")
	p.is(active + `?.textContent.includes("All results for “tom”")`)
	p.press("ArrowDown") // round and back in the field
	p.is(`!document.querySelector("#Find").hasAttribute("aria-activedescendant")`)
	p.press("Escape")
	p.is(`document.querySelector("#Suggestions").hidden && document.querySelector("#Find").value == "tom"`)
	p.press("ArrowDown")
	p.is(`!document.querySelector("#Suggestions").hidden`)
	p.press("ArrowDown")
	p.press("Enter")
	p.is(`location.pathname == "/w/notes/Garden/Tomatoes" && document.querySelector("#Find[role=combobox]")`)
	p.press("/")
	p.typeIn("beetle")
	p.is(`document.querySelectorAll("#Suggestions [role=option]").length == 9`)
	p.press("ArrowUp")
	p.press("Enter")
	p.is(`location.pathname + location.search == "/w/notes/-/search?q=beetle"`)
	if faults := p.complaints(); len(faults) > 0 {
		t.Errorf("scripts failed: %q", faults)
	}
}

// TestSearchWithoutScript: the form, the conditions, the pages of results.
func TestSearchWithoutScript(t *testing.T) {
	s := serve(t)
	garden(s)
	p := s.browser(390, 844, true)
	p.signIn()
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
	p.open("/w/notes/-/search")
	p.do(chromedp.SendKeys(chromedp.CSS("#Query"), "tomatoes"))
	p.do(chromedp.Click(chromedp.CSS("#Ask button")), chromedp.WaitVisible(chromedp.CSS(".hit")))
	p.see("main", "31 pages found")
	p.do(chromedp.Click(chromedp.CSS(`a[rel="next"]`)), chromedp.WaitVisible(chromedp.CSS(`a[rel="prev"]`)))
	p.see("main", "page 2 of 2")
	p.do(chromedp.Click(chromedp.CSS(".narrow summary")), chromedp.WaitVisible(chromedp.CSS("#F2")))
	p.do(chromedp.SendKeys(chromedp.CSS("#F2"), "red"))
	p.shot("search-narrow")
	p.do(chromedp.Click(chromedp.CSS("#Narrow button")), chromedp.WaitVisible(chromedp.CSS(".chips")))
	p.see("main", "1 page found")
	p.see("main", "tag: red")
	p.is(`location.search == "?q=tomatoes+tag%3Ared"`)
}

// TestReindex: its owner has the index made anew and sees how far it is, and then
// that it is there.
func TestReindex(t *testing.T) {
	s := serve(t)
	garden(s)
	p := s.browser(1280, 900, true)
	p.signIn()
	p.open("/w/notes/-/settings")
	p.submit(`form[action$="/-/reindex"] button`)
	p.is(`document.querySelector(".notice.good")`)
	p.is(`!document.querySelector("#Working") && document.querySelector("[data-status] dd").textContent == "34"`)
	if faults := p.complaints(); len(faults) > 0 {
		t.Errorf("scripts failed: %q", faults)
	}
}
