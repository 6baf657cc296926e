package gitstore

import (
	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/acl"
	"wikibot/wiki"
)

// completeConfig decides which configuration of a wiki is in force.
func (r *repo) completeConfig(old, st *state) error {
	head := st.heads[refConfig]
	if old != nil && head.err == nil && old.heads[refConfig].err == nil && old.heads[refConfig].commit == head.commit {
		st.config, st.trouble = old.config, old.trouble
		return nil
	}
	cfg, err := r.newestConfig(old, head)
	if err == nil {
		st.config = cfg
		return nil
	}
	if cfg == nil {
		// Nothing good is known: nobody may do anything but repair it.
		cfg = &configuration{policy: &acl.Policy{Read: acl.Granted, Write: acl.Granted, Propose: acl.Granted}, settings: defaultSettings(r.name)}
	}
	st.config, st.trouble = cfg, r.troubled(head, cfg.at, false, err)
	return nil
}

// newestConfig is the configuration of head, or an error and the last good one;
// nil where none is known.
func (r *repo) newestConfig(old *state, head tip) (*configuration, error) {
	good := r.good()
	if head.err == nil && good == head.commit {
		cfg, err := r.configAt(good)
		if err == nil {
			return cfg, nil
		}
		return r.configBefore(old, plumbing.ZeroHash, head), err
	}
	was := r.configBefore(old, good, head)
	switch {
	case head.err != nil:
		return was, head.err
	case head.commit.IsZero():
		return was, wiki.Faults{{Text: "there is no " + refConfig}}
	case was != nil && was.at == head.commit:
		return was, nil // no good was named, and the newest loads
	}
	if ok, err := r.accepted(refConfig, head.commit); ok && err == nil {
		if cfg, err := r.configAt(head.commit); err == nil {
			return cfg, nil
		}
	}
	cfg, err := r.checkConfiguration(r.source, was, head.root)
	if err != nil {
		return was, err
	}
	cfg.at = head.commit
	return cfg, nil
}

// configBefore is the last good configuration: what refs/wikibot/good names, the
// one in memory, or the newest of the first parents that loads.
func (r *repo) configBefore(old *state, good plumbing.Hash, head tip) *configuration {
	if old != nil && old.config != nil && !old.config.at.IsZero() && (good.IsZero() || old.config.at == good) {
		return old.config
	}
	if !good.IsZero() {
		cfg, err := r.configAt(good)
		if err == nil {
			return cfg
		}
		if r.once(err.Error()) {
			r.store.log.Error("the configuration of refs/wikibot/good cannot be read", "wiki", r.name, "commit", good.String(), "error", err)
		}
		if old != nil && old.config != nil && !old.config.at.IsZero() {
			return old.config
		}
	}
	for oid := range r.past(refConfig, head.commit) {
		if cfg, err := r.configAt(oid); err == nil {
			return cfg
		}
	}
	return nil
}

// configAt is the configuration of a commit by itself.
func (r *repo) configAt(oid plumbing.Hash) (*configuration, error) {
	at := r.tipAt(oid, nil)
	if at.err != nil {
		return nil, at.err
	}
	settings, faults, err := r.checkSettings(r.source, at.root)
	if err != nil {
		return nil, err
	}
	webhooks, more, err := readWebhooks(r.source, at.root)
	if err != nil {
		return nil, err
	}
	faults = append(faults, more...)
	text, more, err := configText(r.source, at.root, fileACL, maxPolicy)
	if err != nil {
		return nil, err
	}
	if faults = append(faults, more...); len(more) == 0 {
		policy, more := acl.Parse(fileACL, text)
		if faults = append(faults, more...); len(faults) == 0 {
			return &configuration{policy: &policy, settings: settings, webhooks: webhooks, at: oid}, nil
		}
	}
	return nil, faults
}
