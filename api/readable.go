package api

import "net/http"

func (h *Handler) readable(k *call) {
	h.codec.Fail(k.w, k.r, noSuchCall(""))
	_ = http.StatusOK
}
