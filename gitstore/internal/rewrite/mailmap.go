package rewrite

import (
	"fmt"
	"strings"
)

// Person is one line of a map of people: who is meant, and what they become. Empty
// fields of ToName and ToEmail keep what is there; an empty Name fits any.
type Person struct {
	Name, Email     string // as commits have them; the case of letters does not count
	ToName, ToEmail string
}

func (p *Person) is(name, email string) bool {
	return strings.EqualFold(p.Email, email) && (p.Name == "" || strings.EqualFold(p.Name, name))
}

func (p *Person) becomes(name, email string) (string, string) {
	if p.ToName != "" {
		name = p.ToName
	}
	if p.ToEmail != "" {
		email = p.ToEmail
	}
	return name, email
}

// ParsePeople reads a map of people in the format of gitmailmap(5):
//
//	Proper Name <commit@example.org>
//	<proper@example.org> <commit@example.org>
//	Proper Name <proper@example.org> <commit@example.org>
//	Proper Name <proper@example.org> Commit Name <commit@example.org>
//
// Empty lines and what follows a "#" are left out. Errors name the line.
func ParsePeople(text string) ([]Person, error) {
	var out []Person
	n := 0
	for line := range strings.Lines(text) {
		n++
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		p, ok := parsePerson(line)
		if !ok {
			return nil, fmt.Errorf("line %d is not of the form: New Name <new@example.org> <old@example.org>", n)
		}
		out = append(out, p)
	}
	return out, nil
}

func parsePerson(line string) (Person, bool) {
	name1, email1, rest, ok := cutIdent(line)
	if !ok {
		return Person{}, false
	}
	if rest == "" {
		return Person{Email: email1, ToName: name1}, name1 != "" && email1 != ""
	}
	name2, email2, rest, ok := cutIdent(rest)
	p := Person{Name: name2, Email: email2, ToName: name1, ToEmail: email1}
	return p, ok && rest == "" && email1 != "" && email2 != ""
}

// cutIdent takes "Name <email>" from the front of a line; the name may be missing.
func cutIdent(s string) (name, email, rest string, ok bool) {
	name, s, ok = strings.Cut(s, "<")
	if !ok {
		return "", "", "", false
	}
	email, rest, ok = strings.Cut(s, ">")
	name, email = strings.TrimSpace(name), strings.TrimSpace(email)
	return name, email, strings.TrimSpace(rest), ok && !strings.ContainsAny(name+email, "<>\n\x00")
}
