package eval

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wikibot/wiki"
)

// workshop is a small wiki that was written for this test, with questions.
const workshop = "testdata/workshop"

// The floors lie a little under what is reached, and above what a ranking reaches
// that forgets the rarity of words, their stems or the titles.
var workshopFloors = map[string]Floor{"lexical": {NDCG: 0.90, Recall: 1}}

func TestWorkshop(t *testing.T) {
	var out strings.Builder
	r, err := Run(context.Background(), workshop, &out, Options{Floors: workshopFloors})
	if err != nil {
		t.Error(err)
	}
	t.Logf("\n%s", out.String())
	if len(r.Collections) != 1 || r.Collections[0].Documents != 42 || r.Collections[0].Queries != 40 {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(out.String(), "workshop") || !strings.Contains(out.String(), "lexical") {
		t.Errorf("the table:\n%s", out.String())
	}
}

// A floor above what is reached is an error that names arm, measure and both figures.
func TestMisses(t *testing.T) {
	var out strings.Builder
	r, err := Run(context.Background(), workshop, &out, Options{Floors: map[string]Floor{"lexical": {1, 1}, "telepathy": {}}})
	if err == nil || !strings.Contains(err.Error(), "lexical: nDCG@10 is 0.9") || !strings.Contains(err.Error(), "under its floor of 1.0000") || !strings.Contains(err.Error(), "telepathy was not measured") {
		t.Errorf("%v", err)
	}
	if len(r.Mean) == 0 || strings.Contains(err.Error(), "recall") {
		t.Errorf("%+v, %v", r, err)
	}
	if err := (Report{Mean: []Score{{"lexical", math.NaN(), 1}}}).misses(map[string]Floor{"lexical": {.1, .1}}); err == nil {
		t.Error("what is not a number reached a floor")
	}
}

func TestMeasures(t *testing.T) {
	grade := map[int]float64{1: 1, 2: 2}
	for _, c := range []struct {
		found        []int
		ndcg, recall float64
	}{
		{[]int{2, 1}, 1, 1},
		{[]int{1, 2}, (1 + 2/math.Log2(3)) / (2 + 1/math.Log2(3)), 1},
		{[]int{7, 2, 8}, (2 / math.Log2(3)) / (2 + 1/math.Log2(3)), .5},
		{[]int{2, 2, 2}, 2 / (2 + 1/math.Log2(3)), .5},
		{[]int{3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 2}, 0, .5},
		{nil, 0, 0},
	} {
		if n, r := ndcg(c.found, grade), recall(c.found, grade); math.Abs(n-c.ndcg) > 1e-12 || r != c.recall {
			t.Errorf("%v: %v, %v, want %v, %v", c.found, n, r, c.ndcg, c.recall)
		}
	}
}

// files makes a folder of files.
func files(t *testing.T, all map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range all {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// paragraphs is a file in the layout of XQuAD-R. Its offsets are characters: the é
// would shift the second sentence if they were taken for bytes.
const paragraphs = `{"data": [{"title": "x", "paragraphs": [{
	"context": "Zoé keeps bees. The honey is sold in May.",
	"sentences": ["Zoé keeps bees.", "The honey is sold in May."],
	"sentence_breaks": [[0, 15], [16, 41]],
	"qas": [
		{"id": "1", "question": "Who keeps bees?", "answers": [{"text": "Zoé", "answer_start": 0}]},
		{"id": "2", "question": "When is honey sold?", "answers": [{"text": "May", "answer_start": 37}]}
	]}]}]}`

func TestLayouts(t *testing.T) {
	dir := files(t, map[string]string{
		"bees/en.json":         paragraphs,
		"beir/corpus.jsonl":    `{"_id": "a", "title": "Ants", "text": "dig"}` + "\n\n" + `{"_id": "b", "text": "birds fly"}` + "\n",
		"beir/queries.jsonl":   `{"_id": "1", "text": "flying"}` + "\n" + `{"_id": "2", "text": "unjudged"}`,
		"beir/qrels/test.tsv":  "query-id\tcorpus-id\tscore\n1\tb\t1\n1\ta\t0\n2\tgone\t1\n",
		"notes/nothing to see": "",
	})
	var out strings.Builder
	r, err := Run(context.Background(), dir, &out, Options{Floors: map[string]Floor{"lexical": {1, 1}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Collections) != 2 || r.Collections[0].Name != "bees/en" || r.Collections[1].Name != "beir" {
		t.Fatalf("%+v", r)
	}
	if b, p := r.Collections[0], r.Collections[1]; b.Documents != 2 || b.Queries != 2 || p.Documents != 2 || p.Queries != 1 {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(out.String(), "\nmean ") {
		t.Errorf("no mean:\n%s", out.String())
	}
}

// What cannot be read is ErrInvalid, with the file and the line.
func TestBadCollections(t *testing.T) {
	good := map[string]string{"corpus.jsonl": `{"_id":"a","text":"x"}`, "queries.jsonl": `{"_id":"1","text":"x"}`, "qrels.tsv": "1\ta\t1"}
	for _, c := range []struct{ file, text, want string }{
		{"", "", ""},
		{"corpus.jsonl", "{\"_id\":\"a\"}\n{", "corpus.jsonl:2: "},
		{"queries.jsonl", `{"text":"x"}`, "queries.jsonl:1: no _id"},
		{"qrels.tsv", "q d s\n1 a", "qrels.tsv:2: 2 columns"},
		{"qrels.tsv", "q d s\n1 a x", "qrels.tsv:2: "},
		{"qrels.tsv", "1 a 0", "no query of"},
		{"en.json", `{"data": 1}`, "not a file of XQuAD-R"},
		{"en.json", strings.Replace(paragraphs, "[16, 41]", "[16, 42]", 1), "paragraph 1 has a sentence from 16 to 42 of 41"},
		{"en.json", strings.Replace(paragraphs, "[16, 41]", "[16, 4]", 1), "paragraph 1 has a sentence"},
		{"readme", "", "needs corpus.jsonl"},
	} {
		all := map[string]string{c.file: c.text}
		if c.file == "" || strings.HasSuffix(c.file, "l") || strings.HasSuffix(c.file, "tsv") {
			for name, text := range good {
				if name != c.file {
					all[name] = text
				}
			}
			delete(all, "")
		}
		_, err := Run(context.Background(), files(t, all), &strings.Builder{}, Options{})
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, wiki.ErrInvalid) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s %q: %v, want %q", c.file, c.text, err, c.want)
		}
	}
	if _, err := Run(context.Background(), filepath.Join(t.TempDir(), "none"), &strings.Builder{}, Options{}); !errors.Is(err, wiki.ErrInvalid) {
		t.Errorf("no folder: %v", err)
	}
}
