package markdown

import "strings"

// DetectStyle tells in which order a wiki writes its wikilinks: the order that
// makes more targets exist. exists is asked with targets as they were written.
// Without evidence it is TargetFirst.
func DetectStyle(pages func(yield func(path string, src []byte) bool), exists func(target string) bool) Style {
	balance := 0
	for _, src := range pages {
		for _, l := range Links(src, TargetFirst) {
			if l.Kind != Wiki && l.Kind != Embed || l.Text == "" || isSize(l.Text) {
				continue
			}
			second, _, _ := strings.Cut(l.Text, "#")
			if exists(l.Target) {
				balance++
			}
			if exists(strings.TrimSpace(second)) {
				balance--
			}
		}
	}
	if balance < 0 {
		return TextFirst
	}
	return TargetFirst
}
