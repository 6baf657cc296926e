package limit

import (
	"testing"
	"time"
)

func TestParseRate(t *testing.T) {
	for text, want := range map[string]Rate{
		"0":               {},
		"20/s":            {20, time.Second, 200},
		"20/s burst 100":  {20, time.Second, 100},
		" 600/h  burst 1": {600, time.Hour, 1},
		"1/m":             {1, time.Minute, 1},
		"30/m":            {30, time.Minute, 5},
	} {
		got, err := ParseRate(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "20", "20/d", "/s", "-1/s", "+1/s", "0/s", "1.5/s", "20/s burst", "20/s burst 0", "20/s burst -1", "20/s bursts 3", "20/s burst 3 4", "2000000/s", "0 burst 3", "20 /s", "١/s"} {
		if got, err := ParseRate(text); err == nil {
			t.Errorf("%q was taken for %+v", text, got)
		}
	}
}

func FuzzParseRate(f *testing.F) {
	for _, s := range []string{"0", "20/s", "20/s burst 100", "1000000/h burst 1000000", "x/y burst z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRate(s)
		if err != nil {
			return
		}
		again, err := ParseRate(r.String())
		if err != nil || again != r {
			t.Errorf("%q became %+v, written %q, read %+v, %v", s, r, r, again, err)
		}
		l := newLimiter(r, 8, func() int64 { return 1 << 60 })
		if l != nil && (l.interval <= 0 || l.span <= 0) {
			t.Errorf("%q: interval %d, span %d", s, l.interval, l.span)
		}
		for range 3 {
			l.Allow("a", 1<<30)
		}
	})
}
