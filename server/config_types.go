package server

import (
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"wikibot/record"
)

// Size is a number of bytes, "64MB".
type Size = record.Size

// The units.
const (
	KB = record.KB
	MB = record.MB
	GB = record.GB
)

// Duration is a length of time, written as Go does ("90s", "1h30m", "250ms") or
// in days ("30d"). A number without a unit is refused: nobody can tell what it
// counts.
type Duration time.Duration

const day = 24 * time.Hour

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if n, ok := strings.CutSuffix(s, "d"); ok {
		days, err := strconv.ParseFloat(n, 64)
		if err == nil && math.Abs(days) < 100_000 {
			*d = Duration(days * float64(day))
			return nil
		}
	}
	t, err := time.ParseDuration(s)
	if err != nil || s == "0" {
		return fmt.Errorf("%q is not a length of time: write a number with ms, s, m, h or d, such as \"30s\"", text)
	}
	*d = Duration(t)
	return nil
}

// MarshalText is String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String is the duration as UnmarshalText reads it, without parts that are nil:
// "30d", "2m", "1h30m".
func (d Duration) String() string {
	t := time.Duration(d)
	if t != 0 && t%day == 0 {
		return strconv.FormatInt(int64(t/day), 10) + "d"
	}
	s := t.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// LogLevel is the least that is logged.
type LogLevel slog.Level

// UnmarshalText accepts debug, info, warn and error.
func (l *LogLevel) UnmarshalText(text []byte) error {
	if err := (*slog.Level)(l).UnmarshalText(text); err != nil {
		return fmt.Errorf("%q is not a level of the log: use debug, info, warn or error", text)
	}
	return nil
}

// MarshalText is String.
func (l LogLevel) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// String is the level's name in lower case.
func (l LogLevel) String() string { return strings.ToLower(slog.Level(l).String()) }

// LogFormat is how lines of the log look.
type LogFormat string

// The formats.
const (
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// UnmarshalText accepts text and json.
func (f *LogFormat) UnmarshalText(text []byte) error {
	if v := LogFormat(text); v == LogText || v == LogJSON {
		*f = v
		return nil
	}
	return fmt.Errorf("%q is not a format of the log: use text or json", text)
}

// MarshalText is the format's name.
func (f LogFormat) MarshalText() ([]byte, error) { return []byte(f), nil }

// Network is a set of IP addresses: "10.0.0.0/8", or one address, "127.0.0.1".
type Network struct{ netip.Prefix }

// UnmarshalText reads a network or an address.
func (n *Network) UnmarshalText(text []byte) error {
	s := string(text)
	if a, err := netip.ParseAddr(s); err == nil {
		n.Prefix = netip.PrefixFrom(a, a.BitLen())
		return nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return fmt.Errorf("%q is neither an address nor a network: write 127.0.0.1 or 10.0.0.0/8", s)
	}
	n.Prefix = p.Masked()
	return nil
}
