package wiki

import (
	"errors"
	"fmt"
	"strings"
)

// The kinds of error. A caller that must act differently asks errors.Is for
// one of these; every other error is internal and its text is for the log only.
var (
	// ErrNotFound: it does not exist, or you may not know that it does.
	ErrNotFound = errors.New("not found")
	// ErrForbidden: you may read it but not do this to it.
	ErrForbidden = errors.New("forbidden")
	// ErrConflict: what you changed has changed meanwhile; errors.As with
	// *Conflict gives both sides.
	ErrConflict = errors.New("conflict")
	// ErrInvalid: the input can never be accepted as it is.
	ErrInvalid = errors.New("invalid")
	// ErrUnauthenticated: nobody is signed in, or the credential is bad.
	ErrUnauthenticated = errors.New("not signed in")
	// ErrExists: a create met something that is there already. It is an
	// ErrConflict as well.
	ErrExists = fmt.Errorf("already exists: %w", ErrConflict)
	// ErrUnavailable: the machine cannot do it now (disk full, shutting
	// down, repository damaged); the state is as it was, try again later.
	ErrUnavailable = errors.New("unavailable")
	// ErrTooLarge: over a limit on size. It is an ErrInvalid as well.
	ErrTooLarge = fmt.Errorf("too large: %w", ErrInvalid)
	// ErrPayment: the wiki's payment has lapsed, or its tier does not give
	// this; who asks has the right all the same (HTTP 402).
	ErrPayment = errors.New("payment required")
	// ErrLimit: over a limit of the wiki's tier. It is an ErrForbidden as well.
	ErrLimit = fmt.Errorf("over a limit of the tier: %w", ErrForbidden)
)

// Error is an error whose text a person or an agent may read: it says what was
// wrong and the next step. Kind is one of the kinds above; Field names the
// input at fault ("path", "revision"), or is empty.
type Error struct {
	Kind  error
	Field string
	Text  string
}

func (e *Error) Error() string { return e.Text }

// Unwrap gives the kind, so that errors.Is works on it.
func (e *Error) Unwrap() error { return e.Kind }

// Invalid is an ErrInvalid about one field of the input.
func Invalid(field, format string, args ...any) error {
	return &Error{Kind: ErrInvalid, Field: field, Text: fmt.Sprintf(format, args...)}
}

// NotFound is an ErrNotFound with a text for its reader.
func NotFound(format string, args ...any) error {
	return &Error{Kind: ErrNotFound, Text: fmt.Sprintf(format, args...)}
}

// Forbidden is an ErrForbidden with a text for its reader.
func Forbidden(format string, args ...any) error {
	return &Error{Kind: ErrForbidden, Text: fmt.Sprintf(format, args...)}
}

// PaymentRequired is an ErrPayment with a text for its reader.
func PaymentRequired(format string, args ...any) error {
	return &Error{Kind: ErrPayment, Text: fmt.Sprintf(format, args...)}
}

// Unavailable is an ErrUnavailable with a text for its reader.
func Unavailable(format string, args ...any) error {
	return &Error{Kind: ErrUnavailable, Text: fmt.Sprintf(format, args...)}
}

// Conflict is the ErrConflict of a write whose page has changed. It carries
// both sides, so that a face can offer a merge without another read.
type Conflict struct {
	Path    PagePath
	Current Revision // the last commit that touched the page; empty if the page is gone
	Base    []byte   // the text the writer began from; nil if unknown
	Ours    []byte   // the text on main now; nil if the page was deleted
	Theirs  []byte   // the text the writer wanted to save
	Merged  []byte   // a merge with conflict markers (git's style); nil where none was tried
	Text    string   // what happened and the next step
}

func (c *Conflict) Error() string {
	if c.Text != "" {
		return c.Text
	}
	return fmt.Sprintf("the page %q has changed since you read it; its current revision is %s: read it again and repeat your change", c.Path, c.Current.Short())
}

// Unwrap makes errors.Is(err, ErrConflict) true.
func (c *Conflict) Unwrap() error { return ErrConflict }

// Fault is one thing wrong with a file, as a push or a config check names it.
type Fault struct {
	File   string // path in the tree, as git has it
	Line   int    // 1-based; 0 where it is about the file as a whole
	Column int    // 1-based, in bytes; 0 where unknown
	Text   string // what is wrong and how to mend it
}

func (f Fault) String() string {
	switch {
	case f.File == "":
		return f.Text
	case f.Line == 0:
		return f.File + ": " + f.Text
	case f.Column == 0:
		return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Text)
	}
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Text)
}

// Faults is an ErrInvalid that names everything wrong at once.
type Faults []Fault

func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap makes errors.Is(err, ErrInvalid) true.
func (fs Faults) Unwrap() error { return ErrInvalid }

// OrNil is the list as an error: nil when it is empty.
func (fs Faults) OrNil() error {
	if len(fs) == 0 {
		return nil
	}
	return fs
}

// Moved is the ErrNotFound of a page that was renamed: a redirect in the wiki
// leads from the asked path to another.
type Moved struct{ From, To PagePath }

func (m *Moved) Error() string {
	return fmt.Sprintf("the page %q has moved to %q", m.From, m.To)
}

// Unwrap makes errors.Is(err, ErrNotFound) true.
func (m *Moved) Unwrap() error { return ErrNotFound }
