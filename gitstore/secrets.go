package gitstore

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/wiki"
)

// Configuration is where people paste what they should not: a private key beside
// the public one, a token to remember it. History is for ever, so a push to a
// configuration is looked through whole, every commit of it, its messages too.

// Bounds of one push to a configuration: its commits, and the files that they change
// together.
const (
	maxConfigCommits = 10_000
	maxConfigChanges = 200_000
)

var (
	privateKey = regexp.MustCompile(`BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY|PuTTY-User-Key-File-[0-9]|AGE-SECRET-KEY-1`)
	wholeToken = regexp.MustCompile(TokenPrefix + `((?:w-[a-z0-9-]{3,30}-[0-9a-f]{8})|(?:u-[0-9a-f]{16}))_[A-Za-z0-9_-]{43}`)
)

// secretFaults finds private keys and whole tokens in a text. The faults have the
// line and column and never the secret.
func secretFaults(file, where string, text []byte) (faults wiki.Faults) {
	add := func(at int, format string, args ...any) {
		line := bytes.Count(text[:at], []byte("\n"))
		column := at - bytes.LastIndexByte(text[:at], '\n')
		faults = append(faults, wiki.Fault{File: file, Line: line + 1, Column: column, Text: fmt.Sprintf(format, args...) + where})
	}
	if bytes.Contains(text, []byte("KEY")) || bytes.Contains(text, []byte("PuTTY")) {
		for _, m := range privateKey.FindAllIndex(text, 10) {
			add(m[0], "a private key stands here. It must be in no commit, since history is for ever: take it out of all that you push, and make a new pair, because this one has left your machine")
		}
	}
	for _, m := range wholeToken.FindAllSubmatchIndex(text, 10) {
		id := text[m[2]:m[3]]
		add(m[0], "the token %s%s_… stands here whole. Revoke it, because it is written down now (wikibot admin token revoke %s), and take it out of all that you push", TokenPrefix, id, id)
	}
	return faults
}

// secrets looks through every commit that a push adds to a configuration.
func (c *pushCheck) secrets(old, new plumbing.Hash) error {
	queue, seen := []plumbing.Hash{new}, map[plumbing.Hash]bool{new: true, old: true}
	look := secretSearch{pushCheck: c, blobs: map[plumbing.Hash]bool{}}
	for n := 0; len(queue) > 0 && new != old && len(c.faults) <= maxFaults; n++ {
		if n == maxConfigCommits || look.changes > maxConfigChanges {
			c.fault("", "the commits of this push to a configuration are too many (at most %d), or change too many files together; squash them", maxConfigCommits)
			return nil
		}
		oid := queue[0]
		queue = queue[1:]
		parents, err := look.commit(oid, oid == new)
		if err != nil {
			return err
		}
		for _, p := range parents {
			if seen[p] {
				continue
			}
			seen[p] = true
			if c.repo.objects.Has(p) { // it may be older than what was pushed on
				known, err := isAncestor(c.src, p, old, nil)
				if err != nil {
					return err
				}
				if known && !old.IsZero() {
					continue
				}
			}
			queue = append(queue, p)
		}
	}
	return nil
}

// secretSearch is the look through one push.
type secretSearch struct {
	*pushCheck
	blobs   map[plumbing.Hash]bool // seen
	changes int                    // files that the commits changed so far
}

// commit looks through one commit: its message and the files that differ from its
// first parent's. It gives its parents.
func (c *secretSearch) commit(oid plumbing.Hash, last bool) ([]plumbing.Hash, error) {
	commit, err := readCommit(c.src, oid)
	if err != nil {
		return nil, fmt.Errorf("reading pushed commit %s: %w", oid, err)
	}
	where := ""
	if !last {
		where = fmt.Sprintf(" (in commit %.10s)", oid)
	}
	c.faults = append(c.faults, secretFaults(fmt.Sprintf("message of commit %.10s", oid), "", []byte(commit.Message))...)
	from := emptyFolder()
	if len(commit.Parents) > 0 {
		if from, err = treeOf(c.src, commit.Parents[0]); err != nil {
			return nil, err
		}
	}
	changes, err := diffUpTo(from, gitFolder(c.src, commit.Tree), maxSiteChanges)
	if err == errManyChanges {
		c.changes += maxSiteChanges
		c.fault("", "commit %.10s changes more than %d files; push them in parts", oid, maxSiteChanges)
		return commit.Parents, nil
	}
	if err != nil {
		return nil, err
	}
	c.changes += len(changes)
	for _, ch := range changes {
		if ch.new == nil || ch.new.mode == modeGitlink || c.blobs[ch.new.oid] || len(c.faults) > maxFaults {
			continue
		}
		c.blobs[ch.new.oid] = true
		size, err := sizeOf(c.src, ch.new.oid)
		if err != nil {
			return nil, fmt.Errorf("reading pushed file %s: %w", ch.path, err)
		}
		if text := tooLarge(size, maxPolicy); text != "" {
			if !last {
				c.fault(ch.path, "%s%s", text, where)
			}
			continue
		}
		_, data, err := c.src.Get(ch.new.oid)
		if err != nil {
			return nil, fmt.Errorf("reading pushed file %s: %w", ch.path, err)
		}
		c.faults = append(c.faults, secretFaults(ch.path, where, data)...)
	}
	return slices.Clone(commit.Parents), nil
}
