package lexical

// scratch is what one Match counts in.
type scratch struct {
	cells  []cell   // by document; all zero between uses
	tf     []uint16 // by document: frequency of several terms; all zero between uses
	union  []uint32 // documents with a tf
	visits int      // postings that may still be visited
	reads  int      // tokens that may still be read
}

// cell is what is known of one document.
type cell struct {
	score float32
	mask  uint32
}

// norm is what a document's length takes off: k1·(1−b+b·length÷mean).
type norm struct {
	fixed, each float32
	length      []float32
	gain        float32 // k1+1
}

func (x *Index) norm() norm {
	mean := float32(1)
	if x.total > 0 {
		mean = float32(float64(x.total) / float64(x.n))
	}
	return norm{x.o.K1 * (1 - x.o.B), x.o.K1 * x.o.B / mean, x.length, x.o.K1 + 1}
}

func (x *Index) scratch() *scratch {
	s, _ := x.pool.Get().(*scratch)
	if s == nil || cap(s.cells) < len(x.docs) {
		s = &scratch{cells: make([]cell, len(x.docs), cap(x.docs)), tf: make([]uint16, len(x.docs), cap(x.docs))}
	}
	s.cells, s.tf = s.cells[:len(x.docs)], s.tf[:len(x.docs)]
	s.visits, s.reads = x.bounds.postings, x.bounds.read
	return s
}

// run adds one clause to the cells. It reports whether it came to the end.
func (s *scratch) run(x *Index, c *clause) bool {
	if c.weight == 0 && c.groups == 0 {
		return true
	}
	switch {
	case c.sequence != nil:
		return s.rows(x, c)
	case c.all != nil:
		docs, done := s.intersect(x, c.all)
		for _, id := range docs {
			s.cells[id].mask |= c.groups
		}
		return done
	case len(c.terms) == 1 && c.prefix == "":
		list := x.vocab.terms[c.terms[0]].postings
		list, done := s.allowed(list)
		s.one(list, c, x.norm())
		return done
	}
	return s.several(x, c)
}

// allowed takes postings from what may be visited.
func (s *scratch) allowed(list []uint32) (part []uint32, all bool) {
	n := min(len(list), s.visits)
	s.visits -= n
	return list[:n], n == len(list)
}

// one adds a term. This is where a query's time goes.
func (s *scratch) one(list []uint32, c *clause, n norm) {
	cells, length := s.cells, n.length
	weight, groups := c.weight*n.gain, c.groups
	for _, p := range list {
		id, tf := p>>frequencyBits, float32(p&maxFrequency)
		cell := &cells[id]
		cell.score += weight * tf / (tf + n.fixed + n.each*length[id])
		cell.mask |= groups
	}
}

// several adds terms that count as one: their frequencies in a document are summed.
// Where a clause has a prefix, a term counts only in documents where a word of it
// begins so.
func (s *scratch) several(x *Index, c *clause) (done bool) {
	done = true
	s.union = s.union[:0]
	for i, t := range c.terms {
		list, all := s.allowed(x.vocab.terms[t].postings)
		done = done && all
		partly := c.partly != nil && c.partly[i]
		for _, p := range list {
			id := p >> frequencyBits
			if partly && !s.begins(x, id, t, c.prefix) {
				continue
			}
			if s.tf[id] == 0 {
				s.union = append(s.union, id)
			}
			s.tf[id] += uint16(p & maxFrequency)
		}
	}
	weight := c.weight
	if c.prefix != "" && weight > 0 { // its frequency is known now
		weight *= x.idf(len(s.union)) / x.idf(c.frequency)
	}
	n := x.norm()
	for _, id := range s.union {
		tf := float32(s.tf[id])
		s.tf[id] = 0
		s.cells[id].score += weight * n.gain * tf / (tf + n.fixed + n.each*n.length[id])
		s.cells[id].mask |= c.groups
	}
	return done && s.reads > 0
}
