package chunks_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wikibot/markdown"
	"wikibot/search/internal/chunks"
)

// shortPage is a page of 500 bytes, as collections of them have.
const shortPage = `# tar

> Archiving utility.
> Often combined with a compression method, such as gzip or bzip2.
> More information: <https://www.gnu.org/software/tar>.

- [c]reate an archive and write it to a [f]ile:

` + "`tar cf {{path/to/target.tar}} {{path/to/file1 path/to/file2 ...}}`" + `

- [c]reate a g[z]ipped archive and write it to a [f]ile:

` + "`tar czf {{path/to/target.tar.gz}} {{path/to/file1 path/to/file2 ...}}`" + `

- E[x]tract a (compressed) archive [f]ile into the current directory [v]erbosely:
`

func BenchmarkSplitShort(b *testing.B) {
	src := []byte(shortPage)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		chunks.Split(src, "common/tar")
	}
}

func BenchmarkSplitLong(b *testing.B) {
	src := []byte("---\ntitle: T\ntags: [a, b]\n---\n# T\n" + strings.Repeat("## Section\n\n"+prose("word", 180)+"\n\n"+prose("other", 180)+"\n\n", 10))
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		chunks.Split(src, "P")
	}
}

// BenchmarkFrontmatter is the baseline of a page with properties: reading the
// YAML alone.
func BenchmarkFrontmatter(b *testing.B) {
	src := []byte("---\ntitle: T\ntags: [a, b]\n---\n# T\n")
	for b.Loop() {
		_, _, _ = markdown.Frontmatter(src)
	}
}

// BenchmarkSplitFolder splits all pages of a folder (WIKIBOT_DATA) at each turn.
func BenchmarkSplitFolder(b *testing.B) {
	dir := os.Getenv("WIKIBOT_DATA")
	if dir == "" {
		b.Skip("set WIKIBOT_DATA to a folder of pages")
	}
	var pages [][]byte
	bytes, n := 0, 0
	err := filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(p, ".md") {
			return err
		}
		src, err := os.ReadFile(p)
		pages = append(pages, src)
		bytes += len(src)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(bytes))
	for b.Loop() {
		n = 0
		for _, src := range pages {
			n += len(chunks.Split(src, "P").Chunks)
		}
	}
	b.ReportMetric(float64(len(pages)), "pages")
	b.ReportMetric(float64(n), "chunks")
}
