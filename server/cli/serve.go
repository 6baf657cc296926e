package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"

	"wikibot/server"
)

const serveSynopsis = `Usage: wikibot serve [--data DIR] [--listen ADDR] [--ssh-listen ADDR] [--base-url URL] [--config FILE]

Serves the wikis of a data folder. The first start makes the folder, the account
operator and the wiki notes, and prints a link that signs you in once.`

func serve(ctx context.Context, c *call) error {
	cfg, args, done, err := c.load(serveSynopsis, nil)
	switch {
	case done || err != nil:
		return err
	case len(args) > 0:
		return usage("serve takes no argument %q; the data folder is given as --data %s", args[0], args[0])
	}
	cfg.Log = cfg.NewLog()
	s, err := server.New(ctx, cfg)
	if err != nil {
		return err
	}
	if err := greet(ctx, c, s); err != nil {
		s.Close()
		return err
	}
	return s.Run(ctx)
}

// greet says where the site is and, at the first start, how to sign in.
func greet(ctx context.Context, c *call, s *server.Server) error {
	link, fresh, err := s.Fresh(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "wikibot serves %s\n", s.Addresses().Site("/"))
	if s.SSHAddr() != nil {
		fmt.Fprintf(c.stdout, "git over SSH: ssh://git@%s/ (its keys: wikibot admin ssh-fingerprint)\n", s.Addresses().SSHHost)
	}
	if !fresh {
		return nil
	}
	fmt.Fprintf(c.stdout, "\nSign in as %s with this link; it works once, within 24 hours:\n\n    %s\n\nAnother one: wikibot admin sign-in-link\n", server.Operator, link)
	if terminal(c.stdout) {
		openBrowser(link)
	}
	return nil
}

// terminal reports whether a person reads what is written to w.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// openBrowser shows an address where there is a desktop. That it does not work
// is no failure: the address was printed.
func openBrowser(address string) {
	program := "xdg-open"
	switch {
	case runtime.GOOS == "darwin":
		program = "open"
	case os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "":
		return
	}
	cmd := exec.Command(program, address)
	if cmd.Start() == nil {
		go cmd.Wait() // its result does not matter, its process must be collected
	}
}
