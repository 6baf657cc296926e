package rest

import (
	"net/http"
	"strings"
)

// Tag sets a strong ETag.
func Tag(h http.Header, value string) {
	if value != "" {
		h.Set("ETag", `"`+value+`"`)
	}
}

// Tags are the values of a header If-Match or If-None-Match, without quotes, the
// mark of weakness and the name of a content coding; any is true of "*". What is no
// entity tag is taken as it stands: clients forget the quotes. At most 100 count.
func Tags(r *http.Request, header string) (values []string, any bool) {
	for _, v := range strings.Split(strings.Join(r.Header.Values(header), ","), ",") {
		v = strings.TrimSpace(v)
		switch {
		case v == "":
			continue
		case v == "*":
			any = true
			continue
		case len(values) == 100:
			return values, any
		}
		v = strings.Trim(strings.TrimPrefix(v, "W/"), `"`)
		v = strings.TrimSuffix(strings.TrimSuffix(v, "-gzip"), "-zstd")
		values = append(values, v)
	}
	return values, any
}

// NotModified answers 304 where the client has what the ETag names already (RFC
// 9110, 13.1.2), and reports whether it did. It is for GET and HEAD.
func NotModified(w http.ResponseWriter, r *http.Request, value string) bool {
	tags, any := Tags(r, "If-None-Match")
	for _, t := range tags {
		any = any || t == value
	}
	if !any || value == "" {
		return false
	}
	Tag(w.Header(), value)
	w.Header().Set("Cache-Control", "private, no-cache")
	vary(w.Header(), "Authorization", "Cookie", "Accept", "Accept-Encoding")
	w.WriteHeader(http.StatusNotModified)
	return true
}
