package browser

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"wikibot/gitstore"
	"wikibot/server"
	"wikibot/wiki"
)

// TestConnectAgent: she makes an agent's token where the lines are, copies one, and
// a program gets in with what she copied.
func TestConnectAgent(t *testing.T) {
	s := serve(t)
	p := s.browser(1280, 900, false)
	p.open("/w/notes/-/connect")
	p.signIn()
	p.open("/w/notes/-/connect")
	p.see("section[aria-labelledby=Agents]", "claude mcp add --transport http notes "+s.url+"/w/notes/mcp")
	p.do(chromedp.SetValue(chromedp.CSS("#AgentName"), "Claude on my laptop"))
	p.submit(".make-token button")
	p.see("#Made", "Claude on my laptop")
	p.shot("connect-made")
	secret := p.text("#Made pre code")
	line := p.copied("details[name=Client][open] .copy-button")
	if want := `claude mcp add --transport http notes ` + s.url + `/w/notes/mcp --header "Authorization: Bearer ` + secret + `"`; line != want {
		t.Errorf("the button copies %q, want %q", line, want)
	}

	// One of the list is open at a time, and what was copied is good.
	p.do(chromedp.Click(chromedp.CSS("details[name=Client]:nth-of-type(3) summary")))
	if got := run(p, chromedp.Evaluate[int](`document.querySelectorAll("details[name=Client][open]").length`)); got != 1 {
		t.Errorf("%d clients are open, want 1", got)
	}
	req, err := http.NewRequest("GET", s.url+"/w/notes/Home", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, bearer, _ := strings.Cut(strings.TrimSuffix(line, `"`), "Authorization: ")
	req.Header.Set("Authorization", bearer)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if res.Body.Close(); res.StatusCode != http.StatusOK {
		t.Errorf("with what she copied a program gets %d", res.StatusCode)
	}
	p.open("/w/notes/-/connect")
	if body := run(p, chromedp.Evaluate[string](`document.body.innerHTML`)); strings.Contains(body, secret) {
		t.Error("the token is shown again")
	}
	if c := p.complaints(); len(c) > 0 {
		t.Errorf("the browser complained: %q", c)
	}
}

// TestAgentLooks only looks: wide and narrow, light and dark, at all clients of the
// page on connecting, and at what an agent wrote.
func TestAgentLooks(t *testing.T) {
	s := serve(t)
	s.edit("Garden/Plan", "# Plan\n\nSow in March.\n\nBy hand.\n")
	s.editBy("Claude Code 2.1", "Garden/Plan", "# Plan\n\nSow in March, under glass.\n\nBy hand.\n\nWater every evening.\n")
	s.editBy("A client with quite a long name that calls itself something 12.3.4-beta.5", "Garden/Plan", "# Plan\n\nSow in March, under glass.\n\nBy hand.\n\nWater every evening.\n\nMulch.\n")
	for _, look := range []struct {
		name          string
		width, height int64
		dark          bool
	}{{"wide-light", 1280, 900, false}, {"wide-dark", 1280, 900, true}, {"narrow-light", 390, 800, false}, {"narrow-dark", 390, 800, true}} {
		t.Run(look.name, func(t *testing.T) {
			one := *s
			one.t = t
			link, err := s.server.Host().Do(context.Background(), server.Command{Do: "sign-in-link"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			one.link = link.Line
			p := one.browser(look.width, look.height, look.dark)
			p.open("/w/notes/Home")
			p.signIn()
			for _, address := range []string{"/w/notes/-/connect", "/w/notes/-/changelog", "/w/notes/-/changelog?agent=Claude+Code&via=mcp", "/w/notes/-/history/Garden/Plan", "/w/notes/-/blame/Garden/Plan?agent=*", "/w/notes/Garden/Plan"} {
				p.open(address)
				run(p, chromedp.Evaluate[bool](`document.querySelectorAll("details.client").forEach((d) => { d.name = ""; d.open = true; }) ?? true`))
				p.looks("agents-" + look.name + strings.NewReplacer("/", "_", "?", "_", "*", "any").Replace(address))
			}
			if c := p.complaints(); len(c) > 0 {
				t.Errorf("the browser complained: %q", c)
			}
		})
	}
}

// editBy is edit through an agent over MCP.
func (s *site) editBy(agent string, name wiki.PagePath, text string) {
	s.t.Helper()
	by := wiki.Caller{Host: true, Via: wiki.ViaMCP, Agent: agent}
	_, err := s.server.Store().Update(context.Background(), by, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
		return tx.Put(name, []byte(text), gitstore.PutOptions{Overwrite: true})
	})
	if err != nil {
		s.t.Fatal(err)
	}
}
