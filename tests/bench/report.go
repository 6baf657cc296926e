package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// want is what a figure has to reach. With a unit it is about the value, without
// one about the ratio to the baseline.
type want struct {
	least bool // at least, not at most
	limit float64
	unit  string
}

func atMost(ratio float64) want              { return want{limit: ratio} }
func atLeast(ratio float64) want             { return want{limit: ratio, least: true} }
func valueMost(v float64, unit string) want  { return want{limit: v, unit: unit} }
func valueLeast(v float64, unit string) want { return want{limit: v, unit: unit, least: true} }
func (w want) met(value, ratio float64) bool {
	got := ratio
	if w.unit != "" {
		got = value
	}
	if math.IsNaN(got) {
		return false
	}
	if w.least {
		return got >= w.limit
	}
	return got <= w.limit
}

func (w want) String() string {
	sign := "≤"
	if w.least {
		sign = "≥"
	}
	return sign + number(w.limit) + w.unit
}

// number writes three digits that count, and whole numbers whole.
func number(v float64) string {
	if v == math.Trunc(v) || math.Abs(v) >= 1000 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// pair is a comparison: ours, the baseline's, and the ratio.
type pair struct{ ours, base, ratio float64 }

// print writes one figure's line.
func (b *bench) print(name string, p pair, unit string, w want) {
	verdict := "ok"
	if !w.met(p.ours, p.ratio) {
		verdict = "short"
		b.missed++
	}
	fmt.Fprintf(b.out, "bench %s %s %s baseline %s ratio %s want %s %s\n", name, number(p.ours), unit, number(p.base), number(p.ratio), w, verdict)
}

// measure is one round of one side.
type measure func() (float64, error)

// versus takes turns: ours, baseline, ours, baseline, … and the other way round
// in every second round, so that neither has the warmer machine.
func (b *bench) versus(ours, base measure) (pair, error) {
	var all [3][]float64
	for i := range b.rounds {
		var v [2]float64
		for _, side := range [2]int{i % 2, 1 - i%2} {
			if err := b.ctx.Err(); err != nil {
				return pair{}, err
			}
			var err error
			if v[side], err = [2]measure{ours, base}[side](); err != nil {
				return pair{}, err
			}
		}
		all[0], all[1], all[2] = append(all[0], v[0]), append(all[1], v[1]), append(all[2], v[0]/v[1])
	}
	return pair{median(all[0]), median(all[1]), median(all[2])}, nil
}

// compare is versus and one line.
func (b *bench) compare(name, unit string, w want, ours, base measure) error {
	p, err := b.versus(ours, base)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b.print(name, p, unit, w)
	return nil
}

func median(v []float64) float64 { return quantile(v, 0.5) }

// quantile sorts v and gives the value at q of it.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	slices.Sort(v)
	return v[min(len(v)-1, int(q*float64(len(v))))]
}

// times runs f n times and gives each one's microseconds.
func times(n int, f func(i int) error) ([]float64, error) {
	out := make([]float64, n)
	for i := range out {
		began := time.Now()
		if err := f(i); err != nil {
			return nil, err
		}
		out[i] = micros(time.Since(began))
	}
	return out, nil
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
func millis(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// p50 is the measure of the middle time, in microseconds, of n calls.
func p50(n int, f func(i int) error) measure {
	return func() (float64, error) {
		t, err := times(n, f)
		return quantile(t, 0.5), err
	}
}

// once is the measure of one call, in milliseconds; before runs first and is not
// counted.
func once(before func() error, f func() error) measure {
	return func() (float64, error) {
		if before != nil {
			if err := before(); err != nil {
				return 0, err
			}
		}
		began := time.Now()
		err := f()
		return millis(time.Since(began)), err
	}
}
