package server

import (
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Size is a number of bytes. It is written with a unit: kB, MB and GB are
// powers of 1000, KiB, MiB and GiB of 1024, and a number alone is bytes; case
// does not matter. "64MB", "1.5 GiB", "1000000".
type Size int64

// The units.
const (
	KB Size = 1000
	MB      = 1000 * KB
	GB      = 1000 * MB
)

var sizeUnits = []struct {
	name string
	size Size
}{
	{"GiB", 1 << 30}, {"GB", GB}, {"MiB", 1 << 20}, {"MB", MB}, {"KiB", 1 << 10}, {"kB", KB}, {"B", 1},
}

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(text []byte) error {
	number, unit := strings.TrimSpace(string(text)), Size(1)
	for _, u := range sizeUnits {
		if n := len(number) - len(u.name); n > 0 && strings.EqualFold(number[n:], u.name) {
			number, unit = strings.TrimSpace(number[:n]), u.size
			break
		}
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || strings.Trim(number, "0123456789.") != "" || f*float64(unit) > math.MaxInt64/2 {
		return fmt.Errorf("%q is not a size: write a number with kB, MB or GB, such as \"64MB\"", text)
	}
	*s = Size(math.Round(f * float64(unit)))
	return nil
}

// MarshalText is String.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String is the size in the greatest unit that gives a whole number.
func (s Size) String() string {
	for _, u := range sizeUnits {
		if s != 0 && s%u.size == 0 && u.size > 1 {
			return strconv.FormatInt(int64(s/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

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
