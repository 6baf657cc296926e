package record

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes. It is written with a unit: kB, MB and GB are
// powers of 1000, KiB, MiB and GiB of 1024, and a number alone is bytes; case
// does not matter. "64MB", "1.5 GiB", "1_000_000".
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
	number, unit := strings.ReplaceAll(strings.TrimSpace(string(text)), "_", ""), Size(1)
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
