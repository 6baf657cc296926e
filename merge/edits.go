package merge

// Edit says that the old lines from OldStart to before OldEnd became the new
// lines from NewStart to before NewEnd. Lines count from 0; one of the two
// ranges may be empty, never both.
type Edit struct{ OldStart, OldEnd, NewStart, NewEnd int }

// Edits is the shortest script (or nearly, see the package) that makes new of
// old: ascending, with at least one unchanged line between two edits, runs slid
// as `git diff` and `git blame` slide them. nil means that they are equal.
func Edits(old, new []byte) []Edit {
	o, n := split(old), split(new)
	c := newClasses(o.len() + n.len())
	return edits(o, n, c.lines(o), c.lines(n), len(c.names))
}

func edits(o, n text, a, b []int32, classes int) []Edit {
	ca, cb := newComparer(classes).compare(a, b)
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
