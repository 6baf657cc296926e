// Command wikibot hosts wikis whose database is git.
package main

import (
	"os"

	"wikibot/server/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
