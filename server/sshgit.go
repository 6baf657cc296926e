package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"

	"wikibot/wiki"
)

// noRepository is the answer for every repository that is not there or may not be
// read: which of both, nobody learns.
const noRepository = "there is no such wiki, or you may not read it: check the address, and who you are here with: "

// git runs one of git's services for the session; the exit status is git's.
func (s *sshSession) git(ctx context.Context, caller wiki.Caller, c sshCommand) int {
	slug, ok := repositoryOf(c.path)
	req := &gitRequest{caller: caller, slug: slug, service: c.name, protocol: protocol(s.protocol, c.name), id: s.conn.id}
	err := error(wiki.NotFound("no path of a repository"))
	if ok {
		err = s.serveGit(ctx, req)
	}
	exit := (*exec.ExitError)(nil)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, wiki.ErrNotFound):
		s.tell(noRepository + s.conn.server.Addresses.SSHCommand("whoami"))
		return 1
	case ctx.Err() != nil || errors.Is(err, errTold):
		return 1 // nobody is there, or the reason was given
	case errors.Is(err, wiki.ErrTooLarge):
		return s.fail(err)
	case errors.As(err, &exit):
		s.conn.server.Log.Info("git ended early", "id", req.id, "wiki", req.slug, "service", req.service, "user", caller.Name(), "error", err)
		return max(1, exit.ExitCode()) // -1 where a signal ended it
	}
	return s.fail(err)
}

// serveGit checks, in the order of serveService: may the caller do it, are the
// hooks in place, is there a process to spare.
func (s *sshSession) serveGit(ctx context.Context, req *gitRequest) error {
	g := s.conn.server.Git
	repo, err := g.repository(ctx, req)
	if err != nil {
		return err
	}
	defer repo.Release()
	if req.service == receivePack {
		s.watch.expectLater()
	}
	var body io.Reader = watchedReader{s.ch, s.watch}
	if req.service == uploadArchive {
		// git would take any name of an object's; it gets what we spell.
		wanted, err := s.archive(repo, body)
		if err != nil {
			return err
		}
		body = bytes.NewReader(wanted)
	}
	give, err := s.inLine(ctx, req)
	if err != nil {
		return err
	}
	defer give()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := g.command(ctx, req)
	if req.service == uploadArchive {
		cmd.Env = append(cmd.Env, g.archiveLimit()...)
	}
	return g.drive(ctx, req, &gitChild{
		cmd: cmd, cancel: cancel, body: g.bounded(body, req),
		out:  func(git io.Reader) error { return carry(git, s.write) },
		errs: &withoutPath{s.stderr(), req.dir, repositoryName(req.slug)},
		rest: pastBody,
	})
}

// inLine waits for a process; that is nobody's silence.
func (s *sshSession) inLine(ctx context.Context, req *gitRequest) (give func(), err error) {
	s.watch.stop()
	defer s.watch.stroke()
	return s.conn.server.Git.process(ctx, req.caller, s.conn.address)
}

func (s *sshSession) write(p []byte, _ bool) error {
	_, err := s.stdout().Write(p)
	return err
}

// pastBody ends the client's part with git's: over SSH a client goes on listening
// for the exit status, and says no more once it has that. What was wrong with what
// it said is known by then.
func pastBody(fed <-chan error) error {
	select {
	case err := <-fed:
		return err
	default:
		return nil
	}
}

func repositoryName(slug wiki.Slug) string {
	if slug == "" {
		return "admin.git"
	}
	return string(slug) + ".git"
}

// withoutPath carries git's own errors on, without telling where on the machine
// the repository is.
type withoutPath struct {
	to         io.Writer
	path, name string
}

func (w *withoutPath) Write(p []byte) (int, error) {
	if _, err := w.to.Write(bytes.ReplaceAll(p, []byte(w.path), []byte(w.name))); err != nil {
		return 0, err
	}
	return len(p), nil
}
