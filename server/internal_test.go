package server

import "testing"

// TestCheckSlugOfOurHosts: a page in a browser on this machine reaches the server by a
// name of its own (DNS rebinding) and learns nothing there.
func TestCheckSlugOfOurHosts(t *testing.T) {
	s := start(t, testConfig(t))
	path := "/api/internal/check-slug?domain=" + hostname(s.addresses.Base.Host)
	for host, want := range map[string]int{s.addresses.Base.Host: 200, "localhost:1": 200, "[::1]": 200, "127.0.0.2": 200, "evil.example": 421, "127.0.0.1.evil.example": 421, "localhost.evil.example:80": 421} {
		if res, body := s.get(t, path, "Host", host); res.StatusCode != want {
			t.Errorf("%s: %d %s, want %d", host, res.StatusCode, body, want)
		}
	}
}
