package gitstore

import (
	"path/filepath"

	"wikibot/wiki"
)

// The refs of a repository, see docs/format.md.
const (
	refMain     = "refs/heads/main"
	refConfig   = "refs/wikibot/config"
	refTokens   = "refs/wikibot/tokens"
	refAudit    = "refs/wikibot/audit"
	refGood     = "refs/wikibot/good"
	refProfiles = "refs/wikibot/profiles"

	refServerPrefix = "refs/wikibot/"
	refMergePrefix  = "refs/merge/"
)

// Files of the configuration trees.
const (
	fileWiki      = ".wikibot/wiki.toml"
	fileACL       = ".wikibot/acl.toml"
	dirTokens     = ".wikibot/tokens"
	fileSite      = "site.toml"
	fileRedirects = ".redirects.toml"
)

// schema is the version of every record that this program writes. It reads
// this one and the one before.
const schema = 1

// The server as git sees it. A commit that arrives by push and bears this
// address as committer is refused, so it marks the server's own commits.
const (
	serverName  = "wikibot"
	ServerEmail = "server@wikibot.invalid"
)

// admin is the place of admin.git among the repositories; no wiki can have
// this slug.
const admin = wiki.Slug("admin")

func (s *Store) adminDir() string { return filepath.Join(s.cfg.Dir, "admin.git") }
func (s *Store) wikiDir(w wiki.Slug) string {
	return filepath.Join(s.cfg.Dir, "wikis", string(w)+".git")
}

// SecretsDir is the folder of keys, mode 0700; nothing of it is ever in git.
func (s *Store) SecretsDir() string { return filepath.Join(s.cfg.Dir, "secrets") }

// CacheDir is the folder of what can be rebuilt.
func (s *Store) CacheDir() string { return filepath.Join(s.cfg.Dir, "cache") }

func userFile(u wiki.Username) string { return "users/" + u.Shard() + "/" + string(u) + ".toml" }
func wikiFile(w wiki.Slug) string     { return "wikis/" + w.Shard() + "/" + string(w) + ".toml" }

// noreply is the address under which a person's commits are made: private
// addresses do not belong into a history that is for ever.
func (s *Store) noreply(c wiki.Caller) string {
	return c.Name() + "@users.noreply." + s.cfg.Domain
}
