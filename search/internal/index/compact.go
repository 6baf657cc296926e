package index

// Compact drops words that no document holds any more, when they are most of the
// vocabulary. Only the writer may call it; readers go on.
func (x *Index) Compact() error {
	if dead := x.lex.Dead(); dead < 10_000 || dead*2 < x.lex.Terms() {
		return nil
	}
	lex, err := x.lex.Compact()
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.lex = lex; x.rel != nil {
		x.rel.known = nil // its terms have other numbers now
	}
	return nil
}
