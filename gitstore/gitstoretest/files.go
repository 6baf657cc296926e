package gitstoretest

import (
	"fmt"
	"strings"
	"testing"
)

// Files adds files (path → content) to a ref of a bare repository, in one commit
// on top of what is there, behind the back of any server.
func Files(tb testing.TB, dir, ref string, files map[string]string) {
	tb.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "commit %s\ncommitter Test <test@example.org> 1700000000 +0000\ndata 5\nfiles\n", ref)
	if _, err := TryGit(dir, "", "rev-parse", "-q", "--verify", ref); err == nil {
		fmt.Fprintf(&b, "from %s^0\n", ref)
	}
	for path, text := range files {
		fmt.Fprintf(&b, "M 100644 inline %s\ndata %d\n%s\n", path, len(text), text)
	}
	GitIn(tb, dir, b.String(), "fast-import", "--quiet")
}
