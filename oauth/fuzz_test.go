package oauth

import (
	"strings"
	"testing"
)

// FuzzCredential: no header makes it fail otherwise than with a text, or lets a
// secret into that text.
func FuzzCredential(f *testing.F) {
	for _, s := range []string{"", "Bearer", "Bearer x", "bearer  x ", "Basic eDp5", "Basic !!!", "Basic eA==", "Digest x", "Basic d2J0X3U6", "wbt_u-00112233445566ff_" + goodSecret} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		token, err := credential(header)
		if basic := len(header) > 0 && (header[0] == 'B' || header[0] == 'b') && len(header) > 1 && (header[1] == 'a' || header[1] == 'A'); err != nil && token != "" || err == nil && token == "" && basic {
			t.Errorf("%q: %q, %v", header, token, err)
		}
		for word := range strings.FieldsSeq(header) {
			if err != nil && len(word) > 14 && strings.Contains(err.Error(), word) {
				t.Errorf("%q: the error says %q", header, err)
			}
		}
	})
}
