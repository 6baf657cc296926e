package gitstore

import (
	"fmt"
	"slices"
	"strings"

	"wikibot/acl"
	"wikibot/wiki"
)

// A push that takes the rights of many people at once is asked about: it is a
// robot's half-written file, or a mistake, more often than it is meant. It says
// whom it concerns and is accepted with the push option confirm-removals.

const (
	confirmRemovals = "confirm-removals"
	fewRemovals     = 3  // people who may lose rights in one push without a question
	namedRemovals   = 20 // who are named in the question
)

// guardGrants asks about a policy by which more than 3 people, and more than a
// quarter of all, lose or have less. Grants to people who are gone do not count.
func (st *site) guardGrants(was, now *acl.Policy, options []string) wiki.Faults {
	var lose []string
	all := 0
	for who, role := range was.Grants {
		if !strings.HasPrefix(who, "did:") && st.users.get(wiki.Username(who)) == nil {
			continue
		}
		if all++; now.Grants[who] < role {
			lose = append(lose, who)
		}
	}
	if len(lose) <= fewRemovals || 4*len(lose) <= all || confirmed(options) {
		return nil
	}
	return wiki.Faults{{File: fileACL, Text: fmt.Sprintf("this takes rights from %d of %d people: %s. %s", len(lose), all, peopleList(lose), askAgain(refConfig, options))}}
}

// guardPeople asks about a push by which more than 3 people lose their account or
// their administration, and about one that leaves a single administrator.
func (st *site) guardPeople(next *site, changes []change, options []string) wiki.Faults {
	var lose []string
	for _, c := range changes {
		name, ok := userOf(c.path)
		if !ok {
			continue
		}
		was, now := st.users.get(name), next.users.get(name)
		if was != nil && !was.Suspended && (now == nil || now.Suspended || was.Admin && !now.Admin) {
			lose = append(lose, string(name))
		}
	}
	what := ""
	switch {
	case confirmed(options) || len(lose) == 0:
		return nil
	case len(lose) > fewRemovals:
		what = fmt.Sprintf("this takes their account or their administration from %d people: %s", len(lose), peopleList(lose))
	case next.admins == 1 && st.admins > 1:
		what = fmt.Sprintf("a single administrator would be left; %s would be none any more, and nobody could help if that one is lost", peopleList(lose))
	default:
		return nil
	}
	return wiki.Faults{{File: "users/", Text: what + ". " + askAgain(refMain, options)}}
}

func confirmed(options []string) bool { return slices.Contains(options, confirmRemovals) }

// askAgain is the command line that confirms.
func askAgain(ref string, options []string) string {
	hint := ""
	for _, o := range options {
		if strings.HasPrefix(strings.ToLower(o), "confirm") {
			hint = fmt.Sprintf(" (the push option %q is not known)", o)
		}
	}
	return fmt.Sprintf("If that is meant, push once more with: git push -o %s origin HEAD:%s%s", confirmRemovals, ref, hint)
}

// peopleList names people, sorted, up to a number.
func peopleList(names []string) string {
	slices.Sort(names)
	if n := len(names); n > namedRemovals {
		return strings.Join(names[:namedRemovals], ", ") + fmt.Sprintf(" and %d more", n-namedRemovals)
	}
	return strings.Join(names, ", ")
}
