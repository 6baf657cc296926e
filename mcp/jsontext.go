package mcp

import (
	"encoding/json"
	"errors"
)

// maxTextValues is the most values of JSON that stands in a text, as the transport has
// it for messages (which does not look into texts): decoded, "{}," takes a hundred
// times its three bytes.
const maxTextValues = 100_000

var errManyValues = errors.New("too many values")

// decodeText reads JSON that a client sent as a text. The cost is linear in the text,
// and nothing with more than maxTextValues values is decoded.
func decodeText(s string, into any) error {
	if !fewValues(s) {
		return errManyValues
	}
	return json.Unmarshal([]byte(s), into)
}

// fewValues counts the values of a JSON text; what is not JSON is for the decoder to
// find.
func fewValues(s string) bool {
	values, quoted := 1, false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		case ',', '{', '[':
			if !quoted {
				values++
			}
		}
		if values > maxTextValues {
			return false
		}
	}
	return true
}
