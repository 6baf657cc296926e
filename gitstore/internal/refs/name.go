package refs

import (
	"fmt"
	"strings"
)

// CheckName refuses what git check-ref-format(1) refuses, every name outside
// "refs/" (HEAD has its own methods), and so every way out of the repository.
func CheckName(name string) error {
	if !strings.HasPrefix(name, "refs/") {
		return fmt.Errorf("the ref name %q must begin with refs/", name)
	}
	if len(name) > 1000 {
		return fmt.Errorf("the ref name %.40q… is too long", name)
	}
	if fault := nameFault(name); fault != "" {
		return fmt.Errorf("the ref name %q %s", name, fault)
	}
	return nil
}

func nameFault(name string) string {
	switch {
	case strings.Contains(name, ".."):
		return `must not have ".."`
	case strings.Contains(name, "@{"):
		return `must not have "@{"`
	case strings.HasSuffix(name, "."):
		return `must not end in "."`
	}
	for i := 0; i < len(name); i++ {
		if c := name[i]; c <= ' ' || c == 0x7f || strings.IndexByte(`~^:?*[\`, c) >= 0 {
			return fmt.Sprintf("must not have the character %q", c)
		}
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "":
			return "must not have an empty component"
		case part[0] == '.':
			return `must not have a component that begins with "."`
		case strings.HasSuffix(part, ".lock"):
			return `must not have a component that ends in ".lock"`
		case len(part) > 250:
			return "must not have a component of more than 250 bytes"
		}
	}
	return ""
}
