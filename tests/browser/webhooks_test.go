package browser

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestWebhooks: an owner adds a webhook, is shown its secret once, tests it, which
// fails because its name leads inside, and takes it away.
func TestWebhooks(t *testing.T) {
	s := serve(t)
	p := s.browser(1280, 900, false)
	p.signIn()
	p.open("/w/notes/-/settings")
	p.submit(`section[aria-labelledby=Webhooks] a`)
	p.see("main", "There are none yet")
	p.shot("webhooks-empty")
	p.do(chromedp.SendKeys(chromedp.CSS("#HookURL"), "https://localhost:9443/hooks/notes?source=wiki"), chromedp.SendKeys(chromedp.CSS("#HookName"), "Search engine"),
		chromedp.SendKeys(chromedp.CSS("#HookPrefix"), "Docs/"))
	p.submit(".make-token button")
	secret := p.text("#Made pre code")
	if !strings.HasPrefix(secret, "whsec_") || len(secret) != 50 {
		t.Errorf("it shows %q", secret)
	}
	p.shot("webhooks-made")
	p.submit(`section.hook form:first-of-type button`)
	p.see("main .notice", "has not taken the test")
	p.see("section.hook table", "could not be reached")
	if body := run(p, chromedp.Evaluate[string](`document.body.innerHTML`)); strings.Contains(body, secret) {
		t.Error("the secret is shown again")
	}
	p.shot("webhooks-tested")
	p.do(chromedp.EmulateViewport(390, 844))
	p.open("/w/notes/-/webhooks")
	if over := run(p, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`)); over > 0 {
		t.Errorf("the narrow page is %d pixels too wide", over)
	}
	p.shot("webhooks-narrow")
	p.submit(`section.hook button.danger`)
	p.see("main .notice", "deleted")
	if told := p.complaints(); len(told) > 0 {
		t.Errorf("the console says %q", told)
	}
}
