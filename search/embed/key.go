package embed

import (
	"io"
	"os"
	"runtime"
	"strings"

	"wikibot/wiki"
)

// maxKey bounds a key in bytes.
const maxKey = 8 << 10

// key is the service's key, or empty where none is configured. Errors say where it
// was looked for, never what was found.
func (c HTTPConfig) key() (string, error) {
	switch {
	case c.KeyFile != "":
		return keyFromFile(c.KeyFile)
	case c.KeyEnv != "":
		key := strings.TrimSpace(os.Getenv(c.KeyEnv))
		if !sendable(key) {
			return "", wiki.Invalid("key_env", "the environment variable %s (key_env) holds no key: set it where the server is started", c.KeyEnv)
		}
		return key, nil
	}
	return "", nil
}

func keyFromFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", wiki.Invalid("key_file", "the key file cannot be read (key_file): %v", err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return "", wiki.Invalid("key_file", "the key file cannot be read (key_file): %v", err)
	case !info.Mode().IsRegular():
		return "", wiki.Invalid("key_file", "%s (key_file) is no regular file: put the key itself there", path)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return "", wiki.Invalid("key_file", "the key file %s (key_file) has mode %04o, so others can read or change it: run chmod 600 %s, and get a new key if somebody may have read it", path, info.Mode().Perm(), path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKey+1))
	if err != nil {
		return "", wiki.Invalid("key_file", "the key file cannot be read (key_file): %v", err)
	}
	key := strings.TrimSpace(string(text))
	if !sendable(key) {
		return "", wiki.Invalid("key_file", "the key file %s (key_file) holds no key: put the key alone there, on one line", path)
	}
	return key, nil
}

// sendable says whether a key can stand in a header: visible ASCII, not too long.
func sendable(key string) bool {
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return false
		}
	}
	return key != "" && len(key) <= maxKey
}
