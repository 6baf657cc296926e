package eval

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"wikibot/wiki"
)

// collection is documents, queries and judgements.
type collection struct {
	name      string
	documents []document
	queries   []question
}

type document struct{ title, text string }

type question struct {
	text     string
	relevant map[int]float64 // documents by number; their grade, above 0
}

// source is a collection that can be read.
type source struct {
	name string
	read func() (collection, error)
}

// find gives the collections of a folder, in the order of their names.
func find(dir string) ([]source, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, wiki.Invalid("dir", "no collection in %s: %v", dir, err)
	}
	var out []source
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		name := filepath.Base(dir)
		switch {
		case e.Name() == "corpus.jsonl":
			return []source{{name, func() (collection, error) { return readPlain(dir, name) }}}, nil
		case strings.HasSuffix(e.Name(), ".json"):
			name += "/" + strings.TrimSuffix(e.Name(), ".json")
			out = append(out, source{name, func() (collection, error) { return readParagraphs(path, name) }})
		case e.IsDir():
			inner, err := find(path)
			if err == nil { // a folder without a collection is passed by
				out = append(out, inner...)
			}
		}
	}
	if out == nil {
		return nil, wiki.Invalid("dir", "no collection in %s: it needs corpus.jsonl, queries.jsonl and qrels.tsv, or XQuAD-R's *.json", dir)
	}
	return out, nil
}

// readParagraphs reads a file of XQuAD-R. Its offsets count characters.
func readParagraphs(path, name string) (collection, error) {
	c := collection{name: name}
	b, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	var file struct {
		Data []struct {
			Paragraphs []struct {
				Context string   `json:"context"`
				Breaks  [][2]int `json:"sentence_breaks"`
				QAs     []struct {
					Question string `json:"question"`
					Answers  []struct {
						Start int `json:"answer_start"`
					} `json:"answers"`
				} `json:"qas"`
			} `json:"paragraphs"`
		} `json:"data"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		return c, wiki.Invalid("dir", "%s is not a file of XQuAD-R: %v", path, err)
	}
	for _, article := range file.Data {
		for i, p := range article.Paragraphs {
			base, text := len(c.documents), []rune(p.Context)
			for _, s := range p.Breaks {
				if s[0] < 0 || s[0] > s[1] || s[1] > len(text) {
					return c, wiki.Invalid("dir", "%s: paragraph %d has a sentence from %d to %d of %d characters", path, i+1, s[0], s[1], len(text))
				}
				c.documents = append(c.documents, document{text: string(text[s[0]:s[1]])})
			}
			for _, qa := range p.QAs {
				q := question{text: qa.Question, relevant: map[int]float64{}}
				for _, a := range qa.Answers {
					for n, s := range p.Breaks {
						if s[0] <= a.Start && a.Start < s[1] {
							q.relevant[base+n] = 1
						}
					}
				}
				c.queries = append(c.queries, q)
			}
		}
	}
	return c, nil
}

// readPlain reads the layout of BEIR.
func readPlain(dir, name string) (collection, error) {
	c := collection{name: name}
	documents, queries := map[string]int{}, map[string]int{}
	type record struct {
		ID    string `json:"_id"`
		Title string `json:"title"`
		Text  string `json:"text"`
	}
	read := func(file string, add func(r record)) error {
		return lines(filepath.Join(dir, file), func(line []byte) error {
			var r record
			if err := json.Unmarshal(line, &r); err != nil {
				return err
			}
			if r.ID == "" {
				return errors.New("no _id")
			}
			add(r)
			return nil
		})
	}
	if err := read("corpus.jsonl", func(r record) {
		documents[r.ID] = len(c.documents)
		c.documents = append(c.documents, document{r.Title, r.Text})
	}); err != nil {
		return c, err
	}
	if err := read("queries.jsonl", func(r record) {
		queries[r.ID] = len(c.queries)
		c.queries = append(c.queries, question{r.Text, map[int]float64{}})
	}); err != nil {
		return c, err
	}
	qrels := filepath.Join(dir, "qrels.tsv")
	if _, err := os.Stat(qrels); err != nil {
		qrels = filepath.Join(dir, "qrels", "test.tsv")
	}
	top := true
	return c, lines(qrels, func(line []byte) error {
		titles := top
		top = false
		f := strings.Fields(string(line))
		if len(f) != 3 {
			return fmt.Errorf("%d columns, not query, document and grade", len(f))
		}
		grade, err := strconv.ParseFloat(f[2], 64)
		if err != nil {
			if titles {
				return nil
			}
			return err
		}
		q, ok := queries[f[0]]
		d, known := documents[f[1]]
		if ok && known && grade > 0 {
			c.queries[q].relevant[d] = grade
		}
		return nil
	})
}

// lines calls fn for each line of a file that is not empty, at most 64 MB long.
func lines(path string, fn func(line []byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return wiki.Invalid("dir", "the collection lacks %s: %v", filepath.Base(path), err)
	}
	defer f.Close()
	s := bufio.NewScanner(io.Reader(f))
	s.Buffer(nil, 64<<20)
	for n := 1; s.Scan(); n++ {
		line := bytes.TrimSpace(s.Bytes())
		if len(line) == 0 {
			continue
		}
		if err := fn(line); err != nil {
			return wiki.Invalid("dir", "%s:%d: %v", path, n, err)
		}
	}
	return s.Err()
}
