package limit

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Rate is how often something may happen: Events in each Per, and Burst at once
// after a rest. It is written
//
//	200/s burst 2000
//	20/m
//	0
//
// with s, m or h for the second, the minute or the hour. Without a burst it is
// what ten seconds bring, at least 1. The zero Rate, written 0, is no limit.
type Rate struct {
	Events int
	Per    time.Duration
	Burst  int
}

// Off reports whether the rate limits nothing.
func (r Rate) Off() bool { return r.Events <= 0 }

// mostEvents keeps intervals in nanoseconds exact enough, and spans within an
// int64.
const mostEvents = 1_000_000

// ParseRate reads a rate; its twin is String.
func ParseRate(s string) (Rate, error) {
	wrong := fmt.Errorf(`%q is not a rate: write events and time, such as "20/s", "20/s burst 100" or "600/h", or "0" for no limit`, s)
	words := strings.Fields(s)
	if len(words) == 1 && words[0] == "0" {
		return Rate{}, nil
	}
	if len(words) != 1 && (len(words) != 3 || words[1] != "burst") {
		return Rate{}, wrong
	}
	events, unit, _ := strings.Cut(words[0], "/")
	r := Rate{Per: map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]}
	if r.Per == 0 || !number(events, &r.Events) {
		return Rate{}, wrong
	}
	r.Burst = max(1, int(int64(r.Events)*int64(10*time.Second)/int64(r.Per)))
	if len(words) == 3 && !number(words[2], &r.Burst) {
		return Rate{}, wrong
	}
	return r, nil
}

// number reads a whole number from 1 to mostEvents.
func number(s string, n *int) bool {
	v, err := strconv.Atoi(s)
	*n = v
	return err == nil && v >= 1 && v <= mostEvents && s[0] != '+'
}

// UnmarshalText is ParseRate.
func (r *Rate) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRate(string(text))
	return err
}

// MarshalText is String.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// String is the rate as ParseRate reads it, with its burst.
func (r Rate) String() string {
	if r.Off() {
		return "0"
	}
	unit := map[time.Duration]string{time.Second: "s", time.Minute: "m", time.Hour: "h"}[r.Per]
	return fmt.Sprintf("%d/%s burst %d", r.Events, unit, r.Burst)
}
