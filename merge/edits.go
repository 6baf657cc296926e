package merge

import "bytes"

// Edit says that the old lines from OldStart to before OldEnd became the new
// lines from NewStart to before NewEnd. Lines count from 0; one of the two
// ranges may be empty, never both.
type Edit struct{ OldStart, OldEnd, NewStart, NewEnd int }

// Edits is the shortest script (or nearly, see the package) that makes new of
// old: ascending, with at least one unchanged line between two edits, runs slid
// as `git diff` and `git blame` slide them. nil means that they are equal.
func Edits(old, new []byte) []Edit {
	var d Differ
	return d.Edits(old, new)
}

// Differ makes the Edits of many pairs, quicker where the new text of a pair is
// the old one of the pair before, as when a history is read backwards. Its zero
// value is ready. It keeps the texts it was given, which must stay unchanged,
// and is not for several goroutines at once.
type Differ struct {
	classes *classes
	compare *comparer
	last    text // the old text of the last pair
	lastIDs []int32
}

// maxClasses is the number of different lines after which a Differ forgets.
const maxClasses = 1 << 17

// Edits is the function of that name.
func (d *Differ) Edits(old, new []byte) []Edit {
	if d.classes == nil || len(d.classes.names) > maxClasses {
		*d = Differ{classes: newClasses(len(old)/32 + len(new)/32), compare: &comparer{}}
	}
	n, b := d.last, d.lastIDs
	if len(new) != len(n.bytes) || len(new) == 0 || &new[0] != &n.bytes[0] {
		n = split(new)
		b = d.classes.lines(n)
	}
	o := split(old)
	a := d.near(o, n, b)
	d.last, d.lastIDs = o, a
	d.compare.allow(len(d.classes.names))
	return edits(d.compare, o, n, a, b)
}

// near are the classes of o's lines, taken from n's where the texts begin or end
// alike.
func (d *Differ) near(o, n text, b []int32) []int32 {
	a := make([]int32, o.len())
	i := 0
	for i < len(a) && i < len(b) && bytes.Equal(o.line(i), n.line(i)) {
		a[i] = b[i]
		i++
	}
	j, k := len(a), len(b)
	for j > i && k > i && bytes.Equal(o.line(j-1), n.line(k-1)) {
		j--
		k--
		a[j] = b[k]
	}
	for ; i < j; i++ {
		a[i] = d.classes.class(o.line(i))
	}
	return a
}

func edits(c *comparer, o, n text, a, b []int32) []Edit {
	ca, cb := c.compare(a, b)
	x := half{a, ca, func(i int) int { return indentOf(o.line(i)) }}
	y := half{b, cb, func(i int) int { return indentOf(n.line(i)) }}
	x.slide(&y)
	y.slide(&x)
	return script(ca, cb)
}

// editsPlain is edits without the look at indentation, as merges use it.
func editsPlain(c *comparer, a, b []int32) []Edit {
	ca, cb := c.compare(a, b)
	x, y := half{ids: a, changed: ca}, half{ids: b, changed: cb}
	x.slide(&y)
	y.slide(&x)
	return script(ca, cb)
}

func script(ca, cb []bool) []Edit {
	var es []Edit
	for i, j := 0, 0; i < len(ca) || j < len(cb); i, j = i+1, j+1 {
		e := Edit{OldStart: i, NewStart: j}
		for i < len(ca) && ca[i] {
			i++
		}
		for j < len(cb) && cb[j] {
			j++
		}
		if i > e.OldStart || j > e.NewStart {
			e.OldEnd, e.NewEnd = i, j
			es = append(es, e)
		}
	}
	return es
}
