package rest

import (
	"fmt"
	"net/http"
	"time"

	"wikibot/limit"
)

// Limits tells a client what its bucket holds (draft-ietf-httpapi-ratelimit-headers):
//
//	RateLimit-Policy: "reads";q=2000;w=10
//	RateLimit: "reads";r=1999;t=1
//
// q is how much the bucket holds, w the seconds in which it fills, r what is left
// and t the seconds until it is full. Of a rate that is off there is none.
func Limits(h http.Header, policy string, s limit.State) {
	if s.Limit <= 0 {
		return
	}
	h.Set("RateLimit-Policy", fmt.Sprintf("%q;q=%d;w=%d", policy, s.Limit, max(1, seconds(s.Window))))
	h.Set("RateLimit", fmt.Sprintf("%q;r=%d;t=%d", policy, max(0, s.Remaining), seconds(s.Reset)))
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
