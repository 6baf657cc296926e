package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"wikibot/limit"
	"wikibot/wiki"
)

// Body reads a request's body. More than MaxBody bytes is an ErrTooLarge; a length
// that is announced is refused before anything is read.
func (c *Codec) Body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > c.MaxBody {
		return nil, c.tooLarge()
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, c.MaxBody))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, c.tooLarge()
	case errors.Is(err, limit.ErrFull):
		return nil, wiki.Unavailable("%v", limit.ErrFull)
	case err != nil:
		return nil, wiki.Invalid("", "the body did not arrive whole: send the request again")
	}
	return body, nil
}

func (c *Codec) tooLarge() error {
	return &wiki.Error{Kind: wiki.ErrTooLarge, Text: fmt.Sprintf("the body is too large: at most %d bytes are possible; divide the request", c.MaxBody)}
}

// Read reads a body of JSON into a struct. An empty body is an empty object, and
// fields that the struct does not have are ignored. Everything else that is not
// right is an ErrInvalid with the field where there is one: a value that is no
// object, text that is not UTF-8 or has half a surrogate pair, a wrong type, more
// nesting than MaxDepth, more values than MaxValues, anything behind the object.
//
// Cost: the body is gone through three times. Memory: some twice the body, and what
// MaxValues values take.
func (c *Codec) Read(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := c.Body(w, r)
	if err != nil {
		return err
	}
	return c.Decode(body, into)
}

// Decode is Read of a body that is there already.
func (c *Codec) Decode(body []byte, into any) error {
	body = bytes.Trim(body, " \t\r\n")
	switch {
	case len(body) == 0:
		return nil
	case !utf8.Valid(body):
		return wiki.Invalid("", "the body is not UTF-8: encode it so, and binary content as base64")
	case body[0] != '{':
		return wiki.Invalid("", "the body must be a JSON object")
	}
	if err := scan(body, c.MaxDepth, c.MaxValues); err != nil {
		return err
	}
	return told(json.Unmarshal(body, into))
}

// told is an error of encoding/json for its reader.
func told(err error) error {
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &kind):
		return wiki.Invalid(kind.Field, "%s must be %s, not %s", or(kind.Field, "the body"), typeName(kind), kind.Value)
	case errors.As(err, &syntax):
		return wiki.Invalid("", "the body is no JSON: %v at byte %d", syntax, syntax.Offset)
	}
	var own *wiki.Error
	if errors.As(err, &own) {
		return own
	}
	return wiki.Invalid("", "the body cannot be read: %v", err)
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func typeName(e *json.UnmarshalTypeError) string {
	switch kind := e.Type.Kind().String(); kind {
	case "string":
		return "a string"
	case "bool":
		return "true or false"
	case "slice":
		return "an array"
	case "struct", "map":
		return "an object"
	default:
		if strings.HasPrefix(kind, "int") || strings.HasPrefix(kind, "uint") {
			return "a whole number"
		}
		return kind
	}
}

// scan bounds the nesting and the number of values of a JSON text: "{}," is three
// bytes there, and a struct of hundreds in a list. It refuses halves of surrogate
// pairs, which the decoder would silently replace by another character, and leaves
// the rest of the grammar to the decoder. Cost: one look at each byte.
func scan(b []byte, most, mostValues int) error {
	depth, values := 0, 1
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '{', '[':
			if depth++; depth > most {
				return wiki.Invalid("", "the body is nested too deeply: at most %d levels are possible", most)
			}
			values++
		case ',':
			values++
		case '}', ']':
			depth--
		case '"':
			end, err := scanString(b, i+1)
			if err != nil {
				return err
			}
			i = end
		}
		if values > mostValues {
			return wiki.Invalid("", "the body has too many values: at most %d are possible; divide the request", mostValues)
		}
	}
	return nil
}

// scanString is the place of the quote that ends a string, or the end of b.
func scanString(b []byte, i int) (int, error) {
	for ; i < len(b) && b[i] != '"'; i++ {
		if b[i] != '\\' {
			continue
		}
		if i++; i < len(b) && b[i] == 'u' {
			high, ok := hex4(b, i+1)
			switch {
			case !ok: // the decoder says so
			case high >= 0xdc00 && high <= 0xdfff:
				return 0, halfPair(i)
			case high >= 0xd800 && high <= 0xdbff:
				low, ok := hex4(b, i+7)
				if !ok || b[i+5] != '\\' || b[i+6] != 'u' || low < 0xdc00 || low > 0xdfff {
					return 0, halfPair(i)
				}
				i += 6
			}
		}
	}
	return i, nil
}

func halfPair(at int) error {
	return wiki.Invalid("", "the body has half of a surrogate pair at byte %d, which is no character: escape the whole pair, or write it as UTF-8", at)
}

func hex4(b []byte, at int) (uint64, bool) {
	if at+4 > len(b) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[at:at+4]), 16, 32)
	return n, err == nil
}

// ByHand reports whether a request bears a credential that no browser sends by
// itself: everything in Authorization but Basic, which a browser repeats once it was
// given (RFC 7617, section 2.2), also for requests that a page of another site makes.
func ByHand(r *http.Request) bool {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return scheme != "" && !strings.EqualFold(scheme, "Basic")
}

// IsJSON reports whether a request says that its body is JSON.
func IsJSON(r *http.Request) bool { return contentType(r) == "application/json" }

// IsMarkdown reports whether a request says that its body is Markdown (RFC 7763).
func IsMarkdown(r *http.Request) bool { return contentType(r) == "text/markdown" }

func contentType(r *http.Request) string {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return t
}
