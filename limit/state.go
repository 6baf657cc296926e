package limit

import (
	"fmt"
	"time"
)

// State is what a bucket holds after somebody took from it. The zero State is of a
// rate that is off.
type State struct {
	Limit     int           // the most that the bucket holds
	Remaining int           // what it holds now
	Window    time.Duration // in which an empty bucket fills
	Reset     time.Duration // until it is full
}

// Header tells a client what its bucket holds, as the values of the headers
// RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers):
//
//	RateLimit-Policy: "reads";q=2000;w=10
//	RateLimit: "reads";r=1999;t=1
//
// q is how much the bucket holds, w the seconds in which it fills, r what is left
// and t the seconds until it is full. Both are empty for a rate that is off.
func (s State) Header(name string) (policy, left string) {
	if s.Limit <= 0 {
		return "", ""
	}
	return fmt.Sprintf("%q;q=%d;w=%d", name, s.Limit, max(1, seconds(s.Window))), fmt.Sprintf("%q;r=%d;t=%d", name, max(0, s.Remaining), seconds(s.Reset))
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// Name is what an action's rate is called in headers.
func (a Action) Name() string {
	if a == Write {
		return "writes"
	}
	return "reads"
}
