package hooks

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/config"

	"wikibot/wiki"
)

// VerifyRepository checks that the own configuration of the repository in dir
// sends every push, also one that somebody makes on the host, through the hooks
// in hooksDir: core.hooksPath names that folder, receive.procReceiveRefs is refs,
// and nothing is included from elsewhere that could say otherwise. It costs one
// small read. The error is as Verify's; what the log gets names the command that
// mends it.
func VerifyRepository(dir, hooksDir string) error {
	path := filepath.Join(dir, "config")
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%w: %w", err, unsafeConfig("it cannot be read"))
	}
	defer f.Close()
	cfg := config.New()
	if err := config.NewDecoder(f).Decode(cfg); err != nil {
		return fmt.Errorf("%s: %w: %w", path, err, unsafeConfig("it cannot be understood"))
	}
	wrong := func(key, value string) error {
		return fmt.Errorf("%w; mend it with: git --git-dir=%s config --replace-all %s %s", unsafeConfig(key+" is not as it must be"), quote(dir), key, quote(value))
	}
	hooksPath := values(cfg, "core", "hooksPath")
	switch {
	case len(hooksPath) == 0 || slices.ContainsFunc(hooksPath, func(p string) bool { return filepath.Clean(p) != filepath.Clean(hooksDir) }):
		return wrong("core.hooksPath", hooksDir)
	case !slices.Equal(values(cfg, "receive", "procReceiveRefs"), []string{"refs"}):
		return wrong("receive.procReceiveRefs", "refs")
	case !slices.Equal(values(cfg, "core", "bare"), []string{"true"}):
		return wrong("core.bare", "true")
	}
	for _, s := range cfg.Sections {
		switch {
		case s.IsName("include") || s.IsName("includeIf"):
			return fmt.Errorf("%s: %w", path, unsafeConfig("it includes another file, by which the hooks could be turned off"))
		case s.IsName("extensions") && s.HasOption("worktreeConfig"):
			return fmt.Errorf("%s: %w", path, unsafeConfig("it has extensions.worktreeConfig, by which the hooks could be turned off"))
		}
	}
	return nil
}

func unsafeConfig(why string) error {
	return wiki.Unavailable("the repository's configuration does not send pushes to wikibot (%s), so nothing can be fetched or pushed; tell the operator, whose log has the details", why)
}

// values are all values of a key without a subsection, whatever the case in which
// section and key are written.
func values(cfg *config.Config, section, key string) (all []string) {
	for _, s := range cfg.Sections {
		if !strings.EqualFold(s.Name, section) {
			continue
		}
		for _, o := range s.Options {
			if strings.EqualFold(o.Key, key) {
				all = append(all, o.Value)
			}
		}
	}
	return all
}
