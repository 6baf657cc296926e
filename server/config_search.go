package server

import (
	"strings"
	"time"

	"wikibot/search/embed"
	"wikibot/wiki"
)

// SearchConfig is about finding pages.
type SearchConfig struct {
	// Memory is what the search indexes of all wikis may take together. Default
	// "512MB": about 250,000 chunks of text. The wikis that were searched least
	// lately are put away to the disk; too small, and they are read back for every
	// search.
	Memory Size `toml:"memory" help:"memory for search indexes"`

	// Language is that of pages which name none in their frontmatter
	// (lang: de): en, de, fr, es … Default "en". "none" takes words as they
	// are written, so that "runs" does not find "running".
	Language string `toml:"language" help:"language of pages that name none, or none"`

	// Workers is how many indexes are built at once. Default 0: half of the
	// processors. All of them, and pages are served slowly after a start.
	Workers int `toml:"workers" help:"indexes that are built at once; 0: half of the processors"`

	Embedder EmbedderConfig `toml:"embedder"`
}

// EmbedderConfig names a model that turns texts into vectors, for search by meaning.
// Without one, related terms are learnt from each wiki's own text.
type EmbedderConfig struct {
	// Kind is "" for none, "http" for a service, or "kelindar" in a program that
	// was built with it. Default "". With "http" the text of every page of every
	// wiki is sent to URL.
	Kind EmbedderKind `toml:"kind" help:"where the embedding model is: empty for none, http, or kelindar in a build with it"`

	// API is what the service speaks: "openai" (also what most compatible servers
	// speak) or "ollama". Default "openai".
	API string `toml:"api" help:"what the embedding service speaks: openai or ollama"`

	// URL is the service's address, "http://127.0.0.1:11434" or
	// "https://api.example.org/v1". Plain http is for this machine and private
	// networks only, since pages travel over it, unless Insecure is set.
	URL string `toml:"url" help:"address of the embedding service"`

	// Model is the model's name there, or the path of a model's file for
	// "kelindar". Another name makes all vectors anew, while the old ones answer.
	Model string `toml:"model" help:"name of the embedding model"`

	// Dimensions asks the service for shorter vectors, where it can. Default 0:
	// the model's own.
	Dimensions int `toml:"dimensions" help:"length of vectors to ask for; 0: the model's own"`

	// KeyFile holds the service's key; others may not be able to read the file.
	// KeyEnv is a variable that holds it. Default: none. A key in config.toml
	// itself would end up in backups and repositories.
	KeyFile string `toml:"key_file" help:"file with the key of the embedding service"`
	KeyEnv  string `toml:"key_env" help:"environment variable with the key of the embedding service"`

	// Batch is how many texts are sent at once. Default 32.
	Batch int `toml:"batch" help:"texts that are sent to the embedding service at once"`

	// Timeout is how long the service has for one batch. Default "30s".
	Timeout Duration `toml:"timeout" help:"time that the embedding service has for one batch"`

	// QueryPrefix and DocumentPrefix stand before each text, where the model
	// wants them ("query: ", "passage: "). Default: none.
	QueryPrefix    string `toml:"query_prefix" help:"what the model wants before a query"`
	DocumentPrefix string `toml:"document_prefix" help:"what the model wants before a page's text"`

	// Insecure allows plain http to other networks. Default false.
	Insecure bool `toml:"insecure" help:"let texts travel unencrypted to other networks"`
}

// EmbedderKind is where a model is.
type EmbedderKind string

// The kinds.
const (
	NoEmbedder       EmbedderKind = ""
	HTTPEmbedder     EmbedderKind = "http"
	KelindarEmbedder EmbedderKind = "kelindar"
)

func defaultSearch() SearchConfig {
	return SearchConfig{Memory: 512 * MB, Language: "en", Embedder: EmbedderConfig{API: embed.OpenAI, Batch: 32, Timeout: Duration(30 * time.Second)}}
}

// problems are the values that cannot be right.
func (c SearchConfig) problems(add func(key, format string, args ...any)) {
	if c.Memory < 1*MB {
		add("search.memory", "%q is too small: at least \"1MB\" is needed", c.Memory)
	}
	if c.Workers < 0 || c.Workers > 64 {
		add("search.workers", "%d is not possible: give 1 to 64, or 0 for half of the processors", c.Workers)
	}
	e := c.Embedder
	switch e.Kind {
	case NoEmbedder:
	case HTTPEmbedder, KelindarEmbedder:
		if _, err := e.open(); err != nil {
			field := "kind"
			if w, ok := err.(*wiki.Error); ok && w.Field != "" {
				field = w.Field
			}
			add("search.embedder."+field, "%s", strings.TrimPrefix(err.Error(), field+": "))
		}
	default:
		add("search.embedder.kind", "%q is no kind of embedder: use \"http\", or leave it empty for none", e.Kind)
	}
}

// open makes the embedder; nil where there is none.
func (c EmbedderConfig) open() (embed.Embedder, error) {
	switch c.Kind {
	case HTTPEmbedder:
		return embed.NewHTTP(embed.HTTPConfig{
			API: c.API, URL: c.URL, Model: c.Model, Dimensions: c.Dimensions, KeyFile: c.KeyFile, KeyEnv: c.KeyEnv, Batch: c.Batch,
			Timeout: time.Duration(c.Timeout), QueryPrefix: c.QueryPrefix, DocumentPrefix: c.DocumentPrefix, Insecure: c.Insecure,
		})
	case KelindarEmbedder:
		return embed.NewKelindar(c.Model)
	}
	return nil, nil
}
