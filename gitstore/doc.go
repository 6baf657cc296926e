// Package gitstore is the one door to wikibot's data. Every read and every write
// of a page, a grant, a setting or a token goes through a Store and says who is
// calling; the policy is checked here and nowhere else.
//
// The data is git. A wiki is one bare repository:
//
//	refs/heads/main        pages and attachments
//	refs/wikibot/config    .wikibot/wiki.toml and .wikibot/acl.toml
//	refs/wikibot/tokens    .wikibot/tokens/<id>.toml, hashes only
//	refs/wikibot/audit     who pushed what, and who changed the configuration
//
// and the site is another, admin.git. The bytes are written down in
// docs/format.md.
//
// # How a read goes
//
// View checks the policy and binds the caller to one immutable snapshot of the
// repository; everything read through it belongs to that one state. No process
// is started and nothing is locked: a snapshot is a tree of folders in memory,
// shared between versions and loaded as it is used, over mapped packs and a
// bounded cache of contents. Whether git changed the refs behind the Store's
// back is looked at every 10 ms; the Store's own writes show at once.
//
// # How a write goes
//
// Each repository has one writer, a goroutine with a queue. It takes what is
// queued, runs each change on the newest tree (so a change is a function that
// may run again), turns each into one commit, writes all their objects as one
// pack, syncs it, moves the refs by git's own lock protocol and only then
// answers. A write that was answered is on the disk. Pushes go the same way once
// git has received their objects, so an edit and a push that race are merged in
// one place.
//
// # What can be thrown away
//
// The index of history, the index of links and the rendered pages follow the
// refs with a cursor; all of it is rebuilt from git when it is missing.
package gitstore
