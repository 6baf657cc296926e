// Package merge holds the algorithms on texts: the line diff, the word diff
// inside changed lines, the three-way merge and the measure of similarity by
// which a rename is recognised. It is pure: no I/O, no state.
//
// The line diff is Myers' O(ND) difference algorithm in its linear-space form
// ("An O(ND) Difference Algorithm and Its Variations", Algorithmica 1, 1986)
// with what git adds to it: lines without a counterpart are set aside first,
// the search gives up its claim to the shortest answer when it becomes too
// dear, and each change is then slid to where a reader expects it. Diff3 gives
// what `git merge-file` gives and Edits what `git diff` and `git blame` compare,
// so that a page merged or blamed here looks as it does in a clone.
//
// A line ends with LF; a CR before it belongs to the line, so CRLF texts stay
// as they are and a change of line ends is a change. A last line without LF
// differs from the same line with one.
//
// Every function takes any bytes, never panics, never keeps its arguments and
// may be called from many goroutines. Cost is O((n+m)·D) for D changed lines
// and bounded for hopeless inputs: two texts of 1 MB take at most about a second.
package merge
