package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"

	"wikibot/wiki"
)

// assetFiles holds the committed style sheet, script and icon, and below
// assets/dist what "npm run build" bundled. Without a build the folder is
// missing: pages then come without the editor, diagrams and typeset math, and
// lose nothing else.
//
//go:embed assets
var assetFiles embed.FS

// assetSet is the assets by hashed name.
type assetSet struct {
	urls    map[string]string    // "app.css" → "/assets/app.0123abcd.css"
	byName  map[string]*document // "app.0123abcd.css" and "app.css"
	version string
}

// assetHash marks an address as one whose content never changes.
const assetHash = 12

func loadAssets() (*assetSet, error) {
	s := &assetSet{urls: map[string]string{}, byName: map[string]*document{}}
	var names, versions []string
	err := fs.WalkDir(assetFiles, "assets", func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && path.Ext(file) != ".gz" && path.Ext(file) != ".txt" {
			names = append(names, file)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing the embedded assets: %w", err)
	}
	slices.Sort(names)
	for _, file := range names {
		hash, err := hashAsset(file)
		if err != nil {
			return nil, fmt.Errorf("reading the embedded asset %s: %w", file, err)
		}
		doc := &document{file: file, mime: assetType(file), policy: "default-src 'none'"}
		name := path.Base(file)
		ext := path.Ext(name)
		hashed := strings.TrimSuffix(name, ext) + "." + hash + ext
		s.byName[hashed], s.byName[name] = doc, doc
		s.urls[name] = "/assets/" + hashed
		versions = append(versions, hashed)
	}
	s.version = digest(versions...)
	if frame, ok := s.urls["mermaid.js"]; ok {
		s.addFrame(frame)
	}
	return s, nil
}

// hashAsset names an asset's content without holding it: most sites never send
// all of it.
func hashAsset(file string) (string, error) {
	f, err := assetFiles.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil))[:assetHash], nil
}

// addFrame makes the document in which diagrams are drawn: sandboxed, of an
// opaque origin, with no script but its own, fed by postMessage.
func (s *assetSet) addFrame(script string) {
	html := `<!doctype html><html lang="en"><meta charset="utf-8"><title></title><script src="` + script + `" defer></script><body></body></html>`
	s.byName["diagram.html"] = &document{
		html:   []byte(html),
		mime:   "text/html; charset=utf-8",
		policy: "sandbox allow-scripts; default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; font-src data:; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
	}
	s.urls["diagram.html"] = "/assets/diagram.html"
}

// url is the address of an asset, empty where it was not built.
func (s *assetSet) url(name string) string { return s.urls[name] }

func assetType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(path.Ext(name))
}

// asset serves one asset: for ever under its hashed name, with revalidation
// under its plain one.
func (q *request) asset(name string) error {
	doc, ok := q.assets.byName[name]
	if !ok {
		return wiki.NotFound("%s", q.texts.get("error.no_asset"))
	}
	h := q.w.Header()
	h.Set("Vary", "Accept-Encoding")
	if hashed(name) {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		tag := `W/"` + q.assets.version + `"`
		h.Set("Etag", tag)
		h.Set("Cache-Control", "public, no-cache")
		if etagMatches(q.r.Header.Get("If-None-Match"), tag) {
			h.Del("X-Frame-Options")
			q.notModified()
			return nil
		}
	}
	// A module script and its imports in the sandboxed frame are of another
	// origin; these bytes are public.
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Del("X-Frame-Options") // frame-ancestors in the policy says who may
	q.send(http.StatusOK, doc)
	return nil
}

func hashed(name string) bool {
	parts := strings.Split(name, ".")
	return len(parts) >= 3 && len(parts[len(parts)-2]) == assetHash
}
