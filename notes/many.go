package notes

// Cut says that a note's content ends early.
type Cut struct {
	Chars int      // of the whole page
	Rest  []string // full paths of the sections that are not shown, or only in part
}
