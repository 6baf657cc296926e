package browser

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"wikibot/server"
)

// TestAccount: she makes a token, clones with it, revokes it, adds a key and
// takes it away, and gets a one-time token, all from what the pages offer.
func TestAccount(t *testing.T) {
	s := serve(t)
	p := s.browser(1280, 900, false)
	p.open("/w/notes/Home")
	p.submit(`.top a.top-button[href*="/auth/sign-in"]`)
	p.signIn()
	if where := run(p, chromedp.Location()); !strings.HasSuffix(where, "/w/notes/Home") {
		t.Errorf("signing in led to %s, and not back to where it began", where)
	}
	p.do(chromedp.Click(chromedp.CSS(".top details.menu summary")))
	p.shot("menu")
	p.submit(`.menu-list a[href="/-/account"]`)
	p.see("main", "You are signed in as operator")
	p.shot("account-empty")

	p.do(chromedp.SendKeys(chromedp.CSS("#TokenName"), "Laptop"))
	p.submit(".make-token button")
	p.see("#Made", "The token “Laptop” has been made")
	p.shot("account-made")
	secret := p.text("#Made pre code")
	clone := strings.Fields(p.text("#Made pre:nth-of-type(2) code"))
	if !strings.HasPrefix(secret, "wbt_u-") || len(clone) != 3 {
		t.Fatalf("it shows %q and %q", secret, clone)
	}
	s.clone(strings.Replace(clone[2], "WIKI", "notes", 1), secret)
	if got := run(p, chromedp.Evaluate[int](`document.querySelectorAll("#Made .copy-button").length`)); got != 3 {
		t.Errorf("%d copy buttons, want 3", got)
	}
	if got := p.copied("#Made .copy-button"); got != secret {
		t.Errorf("the button copies %q", got)
	}
	p.open("/-/account")
	if body := run(p, chromedp.Evaluate[string](`document.body.innerHTML`)); strings.Contains(body, secret) {
		t.Error("the token is shown again")
	}
	p.see("section[aria-labelledby=Tokens] table", "…"+secret[len(secret)-4:])
	p.submit("section[aria-labelledby=Tokens] table button.danger")
	p.see("main .notice", "revoked")
	s.cloneFails(strings.Replace(clone[2], "WIKI", "notes", 1), secret)

	// A key that is none, one that is, and away with it.
	p.do(chromedp.SendKeys(chromedp.CSS("#Key"), "ssh-ed25519 nonsense"))
	p.submit(`form.stack button`)
	p.see("[role=alert]", "key")
	p.shot("account-key-refused")
	p.do(chromedp.SetValue(chromedp.CSS("#Key"), "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEmcRNfN1vYcGm1UO6GzjMnSZWvUQWN0nVt0Wt2t7hG7 operator@laptop"))
	p.submit(`form.stack button`)
	p.see("main", "operator@laptop")
	p.see("main", "SHA256:")
	p.shot("account-key")
	p.submit(`section[aria-labelledby=Keys] table button.danger`)
	p.see("main .notice", "removed")

	// The wiki's own tokens, and one for once.
	p.open("/w/notes/-/settings")
	p.do(chromedp.SendKeys(chromedp.CSS("#TokenName"), "Robot"))
	p.submit(".make-token button")
	p.see("#Made", "Robot")
	p.shot("wiki-tokens")
	p.open("/w/notes/-/connect")
	p.submit(`button[name=for][value=fetch]`)
	p.shot("connect-once")
	once := p.text("#Once pre code")
	clone = strings.Fields(p.text("#Once pre:nth-of-type(2) code"))
	if !strings.HasPrefix(once, "wbo_") || len(clone) != 3 {
		t.Fatalf("it shows %q and %q", once, clone)
	}
	s.clone(clone[2], once)
	if c := p.complaints(); len(c) > 0 {
		t.Errorf("the browser complained: %q", c)
	}
}

// copied presses a copy button and says what it copied; the clipboard itself is
// not for tests.
func (p *person) copied(button string) string {
	p.t.Helper()
	run(p, chromedp.Evaluate[bool](`Object.defineProperty(navigator, "clipboard", { value: { writeText: (t) => { window.copied = t; return Promise.resolve(); } } }) && true`))
	p.do(chromedp.Click(chromedp.CSS(button)))
	return run(p, chromedp.Evaluate[string](`window.copied`))
}

// clone clones with the stock git, which asks for the password alone.
func (s *site) clone(address, password string) {
	s.t.Helper()
	if out, err := s.tryClone(address, password); err != nil {
		s.t.Errorf("git clone %s: %v\n%s", address, err, out)
	}
}

func (s *site) cloneFails(address, password string) {
	s.t.Helper()
	if out, err := s.tryClone(address, password); err == nil {
		s.t.Errorf("git clone %s worked\n%s", address, out)
	}
}

func (s *site) tryClone(address, password string) (string, error) {
	home := s.t.TempDir()
	cmd := exec.Command("git", "-c", "credential.helper=!f() { echo password=$PASSWORD; }; f", "clone", "-q", address, filepath.Join(home, "clone"))
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + home, "GIT_TERMINAL_PROMPT=0", "PASSWORD=" + password}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestAccountLooks only looks: wide and narrow, light and dark.
func TestAccountLooks(t *testing.T) {
	s := serve(t)
	host := s.server.Host()
	for _, cmd := range []server.Command{
		{Do: "token create", User: "operator", Name: "Laptop"},
		{Do: "token create", User: "operator", Name: "A reading agent with a rather long name that somebody chose", Role: "viewer", Days: 30},
		{Do: "token create", Wiki: "notes", Role: "editor", Name: "Robot", Days: 365},
		{Do: "key add", User: "operator", Input: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEmcRNfN1vYcGm1UO6GzjMnSZWvUQWN0nVt0Wt2t7hG7 operator@laptop"},
	} {
		if _, err := host.Do(context.Background(), cmd, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, look := range []struct {
		name          string
		width, height int64
		dark          bool
	}{{"wide-light", 1280, 900, false}, {"wide-dark", 1280, 900, true}, {"narrow-light", 390, 800, false}, {"narrow-dark", 390, 800, true}} {
		t.Run(look.name, func(t *testing.T) {
			one := *s
			one.t = t
			link, err := host.Do(context.Background(), server.Command{Do: "sign-in-link"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			one.link = link.Line
			p := one.browser(look.width, look.height, look.dark)
			p.signIn()
			for name, address := range map[string]string{"account": "/-/account", "tokens": "/w/notes/-/tokens", "settings": "/w/notes/-/settings", "connect": "/w/notes/-/connect"} {
				p.open(address)
				p.looks(look.name + "-" + name)
			}
			p.open("/-/account")
			p.do(chromedp.SendKeys(chromedp.CSS("#TokenName"), "Another"))
			p.submit(".make-token button")
			p.looks(look.name + "-made")
			p.open("/w/notes/-/connect")
			p.submit(`button[name=for][value=push]`)
			p.looks(look.name + "-once")
		})
	}
}

// looks leaves a picture and sees that nothing is wider than the window.
func (p *person) looks(name string) {
	p.t.Helper()
	p.shot(name)
	if over := run(p, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`)); over > 0 {
		p.t.Errorf("%s is %d pixels wider than the window", name, over)
	}
}
