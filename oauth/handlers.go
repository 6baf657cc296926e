package oauth

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"wikibot/wiki"
)

// view is what the pages of signing in and out show.
type view struct {
	Title  string
	Text   string
	Button string // empty: no form
	Action string // where the form is posted
	Token  string // goes with the form
	Next   string // local path to go to afterwards
	Link   string // a plain link, empty: none
	SignIn string // where one signs in, empty: no link
}

//go:embed page.html
var pageSource string

//go:embed page.css
var pageStyle string

// Handler serves /auth/link and /auth/logout. Requests that change something
// and come from another site are refused (Sec-Fetch-Site, Origin), so nobody
// can be signed in or out by a page that they only look at.
func (a *Authority) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /auth/link", a.showLink)
	mux.HandleFunc("POST /auth/link", a.useLink)
	mux.HandleFunc("GET /auth/logout", func(w http.ResponseWriter, r *http.Request) {
		a.show(w, http.StatusOK, view{Title: "Sign out", Text: "End the session of this browser?", Button: "Sign out", Action: "/auth/logout"})
	})
	mux.HandleFunc("POST /auth/logout", a.signOut)
	guard := http.NewCrossOriginProtection()
	// Behind a proxy the Host may differ from what the browser sees.
	if err := guard.AddTrustedOrigin(a.cfg.Addresses.Base.String()); err != nil {
		a.cfg.Log.Error("the base URL is no origin", "error", err)
	}
	return guard.Handler(mux)
}

// showLink asks before it uses the link up: mail scanners and chat programs
// open links to preview them.
func (a *Authority) showLink(w http.ResponseWriter, r *http.Request) {
	token, next := r.URL.Query().Get("token"), LocalPath(r.URL.Query().Get("next"))
	if next == "/" {
		next = a.keptNext(r)
	}
	user, err := a.Invited(token)
	if err != nil {
		a.refuse(w, err)
		return
	}
	a.show(w, http.StatusOK, view{
		Title: "Sign in", Text: "This link signs this browser in once, as " + string(user) + ".",
		Button: "Sign in as " + string(user), Action: "/auth/link", Token: token, Next: next,
	})
}

func (a *Authority) useLink(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	cookie, err := a.Redeem(r.Context(), r.PostFormValue("token"))
	if err != nil {
		a.refuse(w, err)
		return
	}
	if err := a.SignOut(r); err != nil { // the session that this one replaces
		a.cfg.Log.Warn("the former session could not be ended", "error", err)
	}
	http.SetCookie(w, cookie)
	if _, err := r.Cookie(nextName); err == nil {
		http.SetCookie(w, a.nextCookie("")) // it has served
	}
	http.Redirect(w, r, LocalPath(r.PostFormValue("next")), http.StatusSeeOther)
}

// KeepNext remembers, for a browser that begins to sign in, the page that it came
// from: the query's "next". The link that signs it in comes from elsewhere (a
// terminal, a message) and knows nothing of it.
func (a *Authority) KeepNext(w http.ResponseWriter, r *http.Request) {
	if next := LocalPath(r.URL.Query().Get("next")); next != "/" && len(next) <= 1000 {
		http.SetCookie(w, a.nextCookie(next))
	}
}

func (a *Authority) keptNext(r *http.Request) string {
	c, err := r.Cookie(nextName)
	if err != nil {
		return "/"
	}
	next, err := url.QueryUnescape(c.Value)
	if err != nil {
		return "/"
	}
	return LocalPath(next)
}

// nextName is the cookie of the page to come back to; it is sent to the pages of
// signing in only.
const nextName = "sign_in_next"

func (a *Authority) nextCookie(next string) *http.Cookie {
	c := &http.Cookie{
		Name: nextName, Value: url.QueryEscape(next), Path: "/auth/", MaxAge: int(LinkLifetime / time.Second),
		HttpOnly: true, Secure: a.cfg.Addresses.Secure(), SameSite: http.SameSiteLaxMode,
	}
	if next == "" {
		c.MaxAge = -1
	}
	return c
}

func (a *Authority) signOut(w http.ResponseWriter, r *http.Request) {
	if err := a.SignOut(r); err != nil {
		a.refuse(w, err)
		return
	}
	http.SetCookie(w, a.Forget())
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (a *Authority) refuse(w http.ResponseWriter, err error) {
	var told *wiki.Error
	if !errors.As(err, &told) {
		a.cfg.Log.Error("signing in failed", "error", err)
		a.show(w, http.StatusInternalServerError, view{Title: "Internal error", Text: "Signing in failed; the server's log says why."})
		return
	}
	a.show(w, http.StatusUnauthorized, view{Title: "This link cannot be used", Text: told.Text, Link: "/"})
}

// ShowEnded tells a browser that its session has ended and makes it forget the
// cookie; the next request is an anonymous one. next is the page to come back to
// after signing in, as a path of the apex.
func (a *Authority) ShowEnded(w http.ResponseWriter, next string, err error) {
	http.SetCookie(w, a.Forget())
	text := "Your session has ended; sign in again."
	if told := (*wiki.Error)(nil); errors.As(err, &told) {
		text = told.Text
	}
	link := a.cfg.Addresses.Site("/auth/sign-in")
	if next = LocalPath(next); next != "/" {
		link += "?next=" + url.QueryEscape(next)
	}
	a.show(w, http.StatusUnauthorized, view{Title: "Signed out", Text: text, Link: "/", SignIn: link})
}

// show renders a page that loads nothing and runs nothing.
func (a *Authority) show(w http.ResponseWriter, status int, v view) {
	var b bytes.Buffer
	if err := a.page.Execute(&b, map[string]any{"Page": v, "Style": template.CSS(pageStyle)}); err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin") // the token is in the address; "no-referrer" would send Origin: null
	sum := sha256.Sum256([]byte(pageStyle))
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

// LocalPath is p where it is a path of this site, else "/": a redirect never
// leads elsewhere (CWE-601). Backslashes and control characters are refused
// because browsers read "/\host" as "//host".
func LocalPath(p string) string {
	if !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.ContainsFunc(p, func(r rune) bool { return r < 0x20 || r == '\\' || r == 0x7f }) {
		return "/"
	}
	return p
}
