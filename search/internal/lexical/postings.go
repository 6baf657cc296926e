package lexical

import "slices"

// A posting is a document's number in the upper 24 bits and a term's weighted
// frequency in it, at most 255, in the lower 8. BM25 is flat long before that.
const (
	frequencyBits = 8
	maxFrequency  = 1<<frequencyBits - 1
)

func posting(id, frequency uint32) uint32 {
	return id<<frequencyBits | min(frequency, maxFrequency)
}

// find gives the place of the first posting at or after one of a document's.
func find(list []uint32, posting uint32) int {
	at, _ := slices.BinarySearch(list, posting&^maxFrequency)
	return at
}

// cutOut removes postings, in the order of the documents, which list holds. What
// stays is moved in whole stretches.
func (x *Index) cutOut(list []uint32, cs []change) []uint32 {
	from := find(list, cs[0].posting)
	to := from
	for _, c := range cs {
		at := from + find(list[from:], c.posting)
		to += copy(list[to:], list[from:at])
		from = at
		if at < len(list) && list[at] == c.posting {
			from++
		}
	}
	to += copy(list[to:], list[from:])
	if to == 0 {
		return nil
	}
	if to < cap(list)/4 { // give memory back
		return slices.Clone(list[:to])
	}
	return list[:to]
}

// putIn inserts postings, in the order of the documents, none of which list holds.
func (x *Index) putIn(list []uint32, cs []change) []uint32 {
	from := find(list, cs[0].posting)
	tail := append(x.writer.tail[:0], list[from:]...)
	x.writer.tail = tail
	list = slices.Grow(list[:from], len(tail)+len(cs))
	for _, c := range cs {
		n := find(tail, c.posting)
		list = append(append(list, tail[:n]...), c.posting)
		tail = tail[n:]
	}
	return append(list, tail...)
}
