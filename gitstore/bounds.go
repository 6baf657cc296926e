package gitstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/objects"
	"wikibot/wiki"
)

// What a push may bring. The bytes that are sent bound nothing: sixty kilobytes
// hold a commit of sixty megabytes, and a dozen trees, each naming the next one ten
// times, hold more files than memory. What is accepted is read again by the index of
// history and by every start, so each commit is looked at, and not only the last.
const (
	maxReceived    = 2_000_000 // objects of one push
	maxCommitBytes = 1 << 20   // a commit or tag with its message and signatures
	maxCommitsAll  = 256 << 20 // bytes of all commits and tags of one push
	maxTreeBytes   = 4 << 20   // the list of one folder: some 80,000 names
	maxTagChain    = 8         // tags of tags

	// maxFiles is the most files of a wiki, and the most that one commit may add,
	// change and take away.
	maxFiles = 300_000

	// checkFree is how long any push may be looked at, and checkRate what each
	// byte of it adds.
	checkFree = 2 * time.Minute
	checkRate = time.Second / 1_000_000
)

// errManyChanges is the refusal to compare trees that differ by more than can be
// looked at.
var errManyChanges = &wiki.Error{Kind: wiki.ErrTooLarge, Text: fmt.Sprintf("too many files differ: more than %d are not compared at once", maxFiles)}

// errTooMuchWork is the end of a check that takes too long.
var errTooMuchWork = &wiki.Error{Kind: wiki.ErrTooLarge, Text: "looking at what this push brings takes too long; push less at once"}

// checkTime bounds how long a push is looked at.
func checkTime(ctx context.Context, q *objects.DB) (context.Context, context.CancelFunc, error) {
	size, err := q.Usage()
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, checkFree+time.Duration(size)*checkRate, errTooMuchWork)
	return ctx, cancel, nil
}

// bounds refuses objects that are too large to be read, before any of them is, and
// gives the commits among what was received that are new here.
func (c *pushCheck) bounds(ctx context.Context, q *objects.DB) (commits []plumbing.Hash, err error) {
	if n := q.Packed(); n > maxReceived {
		return nil, wiki.Invalid("", "the push brings %d objects; at most %d go in one push, so push in parts", n, maxReceived)
	}
	all, err := q.All()
	if err != nil {
		return nil, err
	}
	if err := c.purged(all); err != nil {
		return nil, err
	}
	total := int64(0)
	for _, oid := range all {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		typ, size, err := q.Header(oid)
		if err != nil {
			return nil, fmt.Errorf("reading pushed object %s: %w", oid, err)
		}
		switch typ {
		case plumbing.CommitObject, plumbing.TagObject:
			if total += size; size > maxCommitBytes {
				c.fault("", "the %s %.10s has %d bytes with its message; at most %d are possible", typ, oid, size, maxCommitBytes)
			}
		case plumbing.TreeObject:
			if size > maxTreeBytes {
				c.fault("", "the folder whose tree is %.10s has a list of %d bytes; at most %d are possible, so divide it into folders", oid, size, maxTreeBytes)
			}
		}
		if typ == plumbing.CommitObject && !c.repo.objects.Has(oid) {
			commits = append(commits, oid)
		}
	}
	if total > maxCommitsAll {
		c.fault("", "the commits and tags of the push have %d bytes with their messages; at most %d go in one push, so push in parts", total, maxCommitsAll)
	}
	return commits, nil
}

// step refuses a commit that is new here and changes more files than can be
// compared: the index of history compares each with its first parent.
func (c *pushCheck) step(oid plumbing.Hash) error {
	commit, err := readCommit(c.src, oid)
	if err != nil {
		return fmt.Errorf("reading pushed commit %s: %w", oid, err)
	}
	from := emptyFolder()
	if len(commit.Parents) > 0 {
		if from, err = treeOf(c.src, commit.Parents[0]); err != nil {
			return err
		}
	}
	_, err = diffUpTo(from, gitFolder(c.src, commit.Tree), maxFiles)
	if errors.Is(err, errManyChanges) {
		c.fault("", "commit %.10s adds or changes more than %d files, or has folders nested too deep; commit them in parts", oid, maxFiles)
		return nil
	}
	return err
}

// tooManyFiles is the fault of a tree that has more files than a wiki may; "" where
// it has not, or adds none.
func (r *repo) tooManyFiles(to *folder, added int) (string, error) {
	if added == 0 {
		return "", nil
	}
	_, files, err := r.count(to)
	if err != nil || files <= maxFiles {
		return "", err
	}
	return fmt.Sprintf("the wiki would have %d files; at most %d are possible", files, maxFiles), nil
}
