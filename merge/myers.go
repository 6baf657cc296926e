package merge

import "math"

// The bounds of the search, with git's values: a cheaper answer is taken where
// the best one costs more.
const (
	minCost      = 256     // edits that are always searched exactly
	hurriedCost  = 64      // the same where the budget is spent
	snake        = 20      // matching lines in a row that count as a landmark
	landmark     = 4       // lines a landmark must lie ahead for each edit spent
	manyEqual    = 1024    // most occurrences that make a line "common"
	window       = 100     // lines looked at on each side of a common line
	commonRun    = 4       // weight of common lines against lines without a counterpart
	searchBudget = 1 << 26 // steps after which the search hurries
)

// comparer finds which elements of two sequences are changed. It may be used
// again; its scratch memory is kept.
type comparer struct {
	inA, inB []int32 // occurrences by class
	a, b     []int32 // the classes that have a counterpart
	ai, bi   []int   // and where they stand
	found    []byte  // how often each occurs on the other side
	ca, cb   []bool
	fwd, bwd []int // furthest point on each diagonal, at [diagonal+zero]
	zero     int
	maxCost  int
	spent    int
}

func newComparer(classes int) *comparer {
	c := &comparer{}
	c.allow(classes)
	return c
}

// allow makes room for so many classes.
func (c *comparer) allow(classes int) {
	if len(c.inA) < classes {
		c.inA, c.inB = make([]int32, classes+classes/4), make([]int32, classes+classes/4)
	}
}

// compare marks the elements of a and b that are not in their common
// subsequence, in slices that are good until the next call. The classes are
// below the number that is allowed.
func (c *comparer) compare(a, b []int32) (ca, cb []bool) {
	c.ca, c.cb = resize(c.ca, len(a)), resize(c.cb, len(b))
	clear(c.ca)
	clear(c.cb)
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	endA, endB := len(a), len(b)
	for endA > head && endB > head && a[endA-1] == b[endB-1] {
		endA--
		endB--
	}
	switch {
	case head == endA:
		fill(c.cb, head, endB)
		return c.ca, c.cb
	case head == endB:
		fill(c.ca, head, endA)
		return c.ca, c.cb
	}
	c.discard(a, b, head, endA, endB)
	diagonals := len(c.a) + len(c.b) + 3
	c.fwd, c.bwd = resize(c.fwd, diagonals), resize(c.bwd, diagonals)
	c.zero = len(c.b) + 1
	c.maxCost = max(roughRoot(diagonals), minCost)
	c.spent = 0
	c.search(0, len(c.a), 0, len(c.b), false)
	return c.ca, c.cb
}

func fill(changed []bool, from, to int) {
	for i := from; i < to; i++ {
		changed[i] = true
	}
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

// roughRoot is a power of two near the square root.
func roughRoot(n int) int {
	r := 1
	for ; n > 0; n >>= 2 {
		r <<= 1
	}
	return r
}

// discard sets aside what cannot or should not be matched: lines that the other
// side does not have, and very common ones (blank lines, braces) in the midst
// of them, which would only tear a change to pieces.
func (c *comparer) discard(a, b []int32, head, endA, endB int) {
	for _, x := range a {
		c.inA[x]++
	}
	for _, x := range b {
		c.inB[x]++
	}
	c.a, c.ai = c.keep(a, head, endA, c.inB, c.ca, c.a[:0], c.ai[:0])
	c.b, c.bi = c.keep(b, head, endB, c.inA, c.cb, c.b[:0], c.bi[:0])
	for _, x := range a {
		c.inA[x] = 0
	}
	for _, x := range b {
		c.inB[x] = 0
	}
}

// How often an element occurs on the other side.
const (
	never = iota
	seldom
	often
)

func (c *comparer) keep(ids []int32, head, end int, other []int32, changed []bool, kept []int32, at []int) ([]int32, []int) {
	limit := int32(min(roughRoot(len(ids)), manyEqual))
	found := resize(c.found, end-head)
	c.found = found
	clear(found)
	for i := range found {
		switch n := other[ids[head+i]]; {
		case n >= limit:
			found[i] = often
		case n > 0:
			found[i] = seldom
		}
	}
	for i, f := range found {
		if f == seldom || f == often && !amidUnmatched(found, i) {
			kept, at = append(kept, ids[head+i]), append(at, head+i)
		} else {
			changed[head+i] = true
		}
	}
	return kept, at
}

// amidUnmatched looks both ways from a common element, as far as there are
// common or unmatched ones, and reports whether the unmatched ones prevail.
func amidUnmatched(found []byte, i int) bool {
	unmatched, common := 0, 0
	for _, step := range [...]int{-1, 1} {
		none := 0
		common++
		for n, j := 1, i+step; n <= window && j >= 0 && j < len(found) && found[j] != seldom; n, j = n+1, j+step {
			if found[j] == never {
				none++
			} else {
				common++
			}
		}
		if none == 0 {
			return false
		}
		unmatched += none
	}
	return common*commonRun < common+unmatched
}

// search marks what is changed between a[loA:hiA] and b[loB:hiB]: it strips
// what is equal at both ends, finds a point on a good path and divides there.
func (c *comparer) search(loA, hiA, loB, hiB int, exact bool) {
	for {
		for loA < hiA && loB < hiB && c.a[loA] == c.b[loB] {
			loA++
			loB++
		}
		for loA < hiA && loB < hiB && c.a[hiA-1] == c.b[hiB-1] {
			hiA--
			hiB--
		}
		if loA == hiA || loB == hiB {
			break
		}
		p := c.middle(loA, hiA, loB, hiB, exact)
		c.search(loA, p.a, loB, p.b, p.exactBefore)
		loA, loB, exact = p.a, p.b, p.exactAfter
	}
	for ; loA < hiA; loA++ {
		c.ca[c.ai[loA]] = true
	}
	for ; loB < hiB; loB++ {
		c.cb[c.bi[loB]] = true
	}
}

// point is where a search divides. A part behind which an exact path was
// followed is short enough to be searched exactly.
type point struct {
	a, b                    int
	exactBefore, exactAfter bool
}

// middle follows the furthest reaching paths from both corners at once until
// they meet (Myers, section 4b), a landmark lies far ahead, or the cost is at
// its bound.
func (c *comparer) middle(loA, hiA, loB, hiB int, exact bool) point {
	least, most := loA-hiB, hiA-loB
	f := front{mid: loA - loB, lo: loA - loB, hi: loA - loB}
	g := front{mid: hiA - hiB, lo: hiA - hiB, hi: hiA - hiB}
	odd := (f.mid-g.mid)&1 != 0
	fwd, bwd, z := c.fwd, c.bwd, c.zero
	fwd[f.mid+z], bwd[g.mid+z] = loA, hiA
	for cost := 1; ; cost++ {
		passed := false
		f.widen(fwd, z, least, most, -1)
		for d := f.hi; d >= f.lo; d -= 2 {
			a := fwd[d+1+z]
			if prev := fwd[d-1+z]; prev >= a {
				a = prev + 1
			}
			start, b := a, a-d
			for a < hiA && b < hiB && c.a[a] == c.b[b] {
				a++
				b++
			}
			passed = passed || a-start > snake
			fwd[d+z] = a
			if odd && g.lo <= d && d <= g.hi && bwd[d+z] <= a {
				return point{a, b, true, true}
			}
		}
		g.widen(bwd, z, least, most, math.MaxInt)
		for d := g.hi; d >= g.lo; d -= 2 {
			a := bwd[d-1+z]
			if next := bwd[d+1+z]; next <= a {
				a = next - 1
			}
			start, b := a, a-d
			for a > loA && b > loB && c.a[a-1] == c.b[b-1] {
				a--
				b--
			}
			passed = passed || start-a > snake
			bwd[d+z] = a
			if !odd && f.lo <= d && d <= f.hi && a <= fwd[d+z] {
				return point{a, b, true, true}
			}
		}
		c.spent += f.hi - f.lo + g.hi - g.lo + 2
		dear := c.spent > searchBudget && cost >= hurriedCost
		if exact && !dear {
			continue
		}
		if passed && cost > minCost {
			if p, ok := c.landmarkAhead(f, loA, hiA, loB, hiB, cost); ok {
				return p
			}
			if p, ok := c.landmarkBehind(g, loA, hiA, loB, hiB, cost); ok {
				return p
			}
		}
		if cost >= c.maxCost || dear {
			return c.furthest(f, g, loA, hiA, loB, hiB)
		}
	}
}

// front is the range of diagonals that one of the two searches has reached.
type front struct{ mid, lo, hi int }

// widen opens one more diagonal on each side, or closes one where the edge of
// the rectangle is reached; beyond is a value that no path takes.
func (f *front) widen(reach []int, zero, least, most, beyond int) {
	if f.lo > least {
		f.lo--
		reach[f.lo-1+zero] = beyond
	} else {
		f.lo++
	}
	if f.hi < most {
		f.hi++
		reach[f.hi+1+zero] = beyond
	} else {
		f.hi--
	}
}

// landmarkAhead looks for a forward path that has come far for its cost and
// ends in a long run of equal elements.
func (c *comparer) landmarkAhead(f front, loA, hiA, loB, hiB, cost int) (p point, ok bool) {
	best := 0
	for d := f.hi; d >= f.lo; d -= 2 {
		a := c.fwd[d+c.zero]
		b := a - d
		gain := a - loA + b - loB - distance(d, f.mid)
		if gain <= landmark*cost || gain <= best || a < loA+snake || a >= hiA || b < loB+snake || b >= hiB {
			continue
		}
		run := 0
		for run < snake && c.a[a-1-run] == c.b[b-1-run] {
			run++
		}
		if run == snake {
			best, p, ok = gain, point{a, b, true, false}, true
		}
	}
	return p, ok
}

func (c *comparer) landmarkBehind(g front, loA, hiA, loB, hiB, cost int) (p point, ok bool) {
	best := 0
	for d := g.hi; d >= g.lo; d -= 2 {
		a := c.bwd[d+c.zero]
		b := a - d
		gain := hiA - a + hiB - b - distance(d, g.mid)
		if gain <= landmark*cost || gain <= best || a <= loA || a > hiA-snake || b <= loB || b > hiB-snake {
			continue
		}
		run := 0
		for run < snake && c.a[a+run] == c.b[b+run] {
			run++
		}
		if run == snake {
			best, p, ok = gain, point{a, b, false, true}, true
		}
	}
	return p, ok
}

func distance(a, b int) int {
	if a > b {
		return a - b
	}
	return b - a
}

// furthest gives up the search: the path that has come furthest is the one.
func (c *comparer) furthest(f, g front, loA, hiA, loB, hiB int) point {
	ahead := point{exactBefore: true}
	reached := -1
	for d := f.hi; d >= f.lo; d -= 2 {
		a := min(c.fwd[d+c.zero], hiA)
		b := a - d
		if b > hiB {
			a, b = hiB+d, hiB
		}
		if a+b > reached {
			reached, ahead.a, ahead.b = a+b, a, b
		}
	}
	behind := point{exactAfter: true}
	left := math.MaxInt
	for d := g.hi; d >= g.lo; d -= 2 {
		a := max(c.bwd[d+c.zero], loA)
		b := a - d
		if b < loB {
			a, b = loB+d, loB
		}
		if a+b < left {
			left, behind.a, behind.b = a+b, a, b
		}
	}
	if hiA+hiB-left < reached-(loA+loB) {
		return ahead
	}
	return behind
}
