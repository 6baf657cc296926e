package notes_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/gitstore/gitstoretest"
	"wikibot/notes"
	"wikibot/wiki"
)

// listener follows a wiki and keeps what it was given.
type listener struct {
	t      testing.TB
	events chan notes.Event
	ended  chan error
	stop   context.CancelFunc
}

func (p *place) listen(r notes.FollowRequest, c wiki.Caller) *listener {
	ctx, stop := context.WithCancel(ctx)
	l := &listener{t: p.t, events: make(chan notes.Event, 1000), ended: make(chan error, 1), stop: stop}
	if r.Check == nil {
		r.Check = func(context.Context) (wiki.Caller, error) { return c, nil }
	}
	if r.Slug == "" {
		r.Slug = "notes"
	}
	ready := make(chan struct{})
	var once sync.Once
	check, checks := r.Check, 0
	r.Check = func(ctx context.Context) (wiki.Caller, error) {
		if checks++; checks == 2 { // the first one is of the beginning
			once.Do(func() { close(ready) })
		}
		return check(ctx)
	}
	s := p.Service
	go func() {
		l.ended <- s.Follow(ctx, r, func(e notes.Event) error {
			l.events <- e
			return nil
		})
		once.Do(func() { close(ready) })
	}()
	<-ready
	p.t.Cleanup(stop)
	return l
}

// next waits for an event.
func (l *listener) next() notes.Event {
	l.t.Helper()
	select {
	case e := <-l.events:
		return e
	case err := <-l.ended:
		l.t.Fatalf("the following ended: %v", err)
	case <-time.After(30 * time.Second):
		l.t.Fatal("no event")
	}
	return notes.Event{}
}

// end waits for the end, and checks that nothing more was handed out.
func (l *listener) end() error {
	l.t.Helper()
	select {
	case err := <-l.ended:
		if n := len(l.events); n > 0 {
			l.t.Errorf("%d more events were handed out", n)
		}
		return err
	case <-time.After(30 * time.Second):
		l.t.Fatal("the following does not end")
	}
	return nil
}

func TestFollow(t *testing.T) {
	p := newPlace(t)
	start := p.view(carol).Head()
	l := p.listen(notes.FollowRequest{After: start}, carol)
	only := p.listen(notes.FollowRequest{After: start, Prefix: "Dir/"}, carol)
	var want []wiki.Revision
	for i := range 5 {
		want = append(want, p.write(fmt.Sprintf("P%d", i), "x"))
	}
	want = append(want, p.write("Dir/Q", "x"))
	for i, rev := range want {
		if e := l.next(); e.Commit.Revision != rev || e.Reset || e.Wiki != "notes" || len(e.Commit.Changes) != 1 || e.Commit.Agent != "Helper 1.0" {
			t.Errorf("event %d: %+v, want %s", i, e, rev)
		}
	}
	if e := only.next(); e.Commit.Revision != want[5] {
		t.Errorf("by prefix: %+v", e)
	}
	// Going on after a restart of everything.
	l.stop()
	if err := l.end(); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	p.restart()
	if err := only.end(); !errors.Is(err, wiki.ErrUnavailable) {
		t.Errorf("at the shutdown: %v", err)
	}
	l = p.listen(notes.FollowRequest{After: want[3]}, carol)
	for _, rev := range want[4:] {
		if e := l.next(); e.Commit.Revision != rev {
			t.Errorf("after the restart: %+v, want %s", e, rev)
		}
	}
	// More at once than one part.
	repo := p.dir + "/wikis/notes.git"
	var b strings.Builder
	for i := range 300 {
		fmt.Fprintf(&b, "commit refs/heads/main\ncommitter T <t@example.org> %d +0000\ndata 1\nx\n", 1700000000+i)
		if i == 0 {
			b.WriteString("from refs/heads/main^0\n")
		}
		fmt.Fprintf(&b, "M 100644 inline Git.md\ndata 3\n%03d\n", i)
	}
	gitstoretest.GitIn(t, repo, b.String(), "fast-import", "--quiet")
	time.Sleep(20 * time.Millisecond)
	p.view(carol) // the server notices
	for _, rev := range strings.Fields(gitstoretest.Git(t, repo, "rev-list", "--reverse", string(want[5])+"..main")) {
		if e := l.next(); string(e.Commit.Revision) != rev {
			t.Fatalf("of many: %s, want %s", e.Commit.Revision, rev)
		}
	}
}

// What a follower may not see any more is not handed out.
func TestFollowEnds(t *testing.T) {
	t.Run("the grant is taken away", func(t *testing.T) {
		p := newPlace(t)
		l := p.listen(notes.FollowRequest{}, carol)
		p.write("A", "x")
		l.next()
		must(t, p.store.SetGrant(ctx, alice, "notes", "carol", wiki.NoRole))
		wantErr(t, l.end(), wiki.ErrNotFound, "")
		p.write("A", "secret")
	})
	t.Run("and within what waits", func(t *testing.T) {
		p := newPlace(t)
		start := p.view(carol).Head()
		p.write("A", "x")
		p.write("A", "secret")
		given := 0
		err := p.Follow(ctx, notes.FollowRequest{Slug: "notes", After: start, Check: func(context.Context) (wiki.Caller, error) { return carol, nil }}, func(notes.Event) error {
			given++
			return p.store.SetGrant(ctx, alice, "notes", "carol", wiki.NoRole)
		})
		if wantErr(t, err, wiki.ErrNotFound, ""); given != 1 {
			t.Errorf("%d events, want 1", given)
		}
	})
	t.Run("the token is revoked", func(t *testing.T) {
		p := newPlace(t)
		_, token, err := p.store.CreateToken(ctx, alice, gitstore.NewToken{Wiki: "notes", User: "alice", Role: wiki.Viewer, Name: "agent"})
		must(t, err)
		l := p.listen(notes.FollowRequest{Check: func(ctx context.Context) (wiki.Caller, error) {
			rec, err := p.store.Token(ctx, token.ID)
			return wiki.Caller{User: rec.User, Via: wiki.ViaMCP, Credential: rec.ID, Narrowed: rec.Role, Only: rec.Wiki, OnlyID: rec.WikiID}, err
		}}, alice)
		p.write("A", "x")
		l.next()
		must(t, p.store.RevokeToken(ctx, alice, token.ID))
		if err := l.end(); err == nil {
			t.Error("it ended without an error")
		}
	})
	t.Run("the wiki is deleted", func(t *testing.T) {
		p := newPlace(t)
		l := p.listen(notes.FollowRequest{Every: time.Hour}, carol)
		p.write("A", "x")
		l.next()
		_, err := p.store.DeleteWiki(ctx, alice, "notes", "notes")
		must(t, err)
		wantErr(t, l.end(), wiki.ErrNotFound, "")
	})
	t.Run("the person is suspended", func(t *testing.T) {
		p := newPlace(t)
		l := p.listen(notes.FollowRequest{Every: 10 * time.Millisecond}, carol)
		must(t, p.store.SetSuspended(ctx, host, "carol", true))
		if err := l.end(); err == nil {
			t.Error("it ended without an error")
		}
	})
	t.Run("mallory never begins", func(t *testing.T) {
		p := newPlace(t)
		wantErr(t, p.listen(notes.FollowRequest{}, mallory).end(), wiki.ErrNotFound, "")
		wantErr(t, p.listen(notes.FollowRequest{After: "--output=x"}, carol).end(), wiki.ErrInvalid, "")
	})
}

// A history that was made again resets its followers.
func TestFollowReset(t *testing.T) {
	p := newPlace(t)
	l := p.listen(notes.FollowRequest{After: wiki.Revision(strings.Repeat("ab", 20))}, carol)
	if e := l.next(); !e.Reset || e.Commit.Revision != p.view(carol).Head() {
		t.Errorf("an unknown cursor: %+v", e)
	}
	rev := p.write("A", "x")
	if e := l.next(); e.Reset || e.Commit.Revision != rev {
		t.Errorf("after a reset: %+v", e)
	}
	repo := p.dir + "/wikis/notes.git"
	other := gitstoretest.Git(t, repo, "commit-tree", "-m", "another history", string(rev)+"^{tree}")
	gitstoretest.Git(t, repo, "update-ref", "refs/heads/main", other)
	time.Sleep(20 * time.Millisecond) // what others write is seen 10 ms late
	p.view(carol)
	if e := l.next(); !e.Reset || string(e.Commit.Revision) != other {
		t.Errorf("another history: %+v, want a reset to %s", e, other)
	}
	rev = p.write("A", "y")
	if e := l.next(); e.Reset || e.Commit.Revision != rev {
		t.Errorf("after it: %+v", e)
	}
}

// Whoever follows one wiki is not woken for another, and all leave nothing behind.
func TestFollowersOfOtherWikis(t *testing.T) {
	p := newPlace(t)
	must(t, p.store.CreateWiki(ctx, host, gitstore.NewWiki{Slug: "quiet", Owner: "alice", Pages: map[string][]byte{"Home.md": []byte("x")}}))
	must(t, p.store.SetGrant(ctx, alice, "quiet", "carol", wiki.Viewer))
	var looks atomic.Int64
	var quiet []*listener
	for range 50 {
		quiet = append(quiet, p.listen(notes.FollowRequest{Slug: "quiet", Every: time.Hour, Check: func(context.Context) (wiki.Caller, error) {
			looks.Add(1)
			return carol, nil
		}}, carol))
	}
	busy := p.listen(notes.FollowRequest{}, carol)
	p.write("A", "x")
	busy.next()
	// Each looks twice at its beginning.
	for looks.Load() < 100 {
		time.Sleep(time.Millisecond)
	}
	for i := range 20 {
		p.write("A", fmt.Sprint(i))
		busy.next()
	}
	if n := looks.Load(); n != 100 {
		t.Errorf("%d looks, want 100: followers were woken for another wiki", n)
	}
	for _, l := range quiet {
		l.stop()
		l.end()
	}
	rev := p.write("A", "last")
	if e := busy.next(); e.Commit.Revision != rev {
		t.Errorf("got %+v", e)
	}
	busy.stop()
	busy.end()
	again := p.listen(notes.FollowRequest{}, carol) // all had left
	rev = p.write("A", "again")
	if e := again.next(); e.Commit.Revision != rev {
		t.Errorf("got %+v", e)
	}
}

// A slow follower holds up nobody and misses nothing.
func TestSlowFollower(t *testing.T) {
	p := newPlace(t)
	release := make(chan struct{})
	var got []wiki.Revision
	done := make(chan error, 1)
	start := p.view(carol).Head()
	go func() {
		done <- p.Follow(ctx, notes.FollowRequest{Slug: "notes", After: start, Check: func(context.Context) (wiki.Caller, error) { return carol, nil }}, func(e notes.Event) error {
			<-release
			if got = append(got, e.Commit.Revision); len(got) == 200 {
				return errors.New("enough")
			}
			return nil
		})
	}()
	var want []wiki.Revision
	for i := range 200 {
		want = append(want, p.write("A", fmt.Sprint(i)))
	}
	close(release)
	if err := <-done; err.Error() != "enough" || !slices.Equal(got, want) {
		t.Errorf("%v; %d events, want %d", err, len(got), len(want))
	}
}
