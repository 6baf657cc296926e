package embed

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// vector is one embedding in an answer: an array of numbers, or, as OpenAI gives it
// when asked for encoding_format=base64, a string of little-endian float32. null
// within the array is what some servers make of NaN.
type vector []float32

// UnmarshalJSON reads either form; a number that is no finite float32 is an error.
func (v *vector) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var raw []byte
		if err := json.Unmarshal(b, &raw); err != nil || len(raw)%4 != 0 {
			return errors.New("a vector is neither numbers nor base64 of float32")
		}
		*v = make(vector, len(raw)/4)
		for i := range *v {
			(*v)[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
		return nil
	}
	var numbers []json.Number
	if len(b) == 0 || b[0] != '[' || json.Unmarshal(b, &numbers) != nil {
		return errors.New("a vector is neither numbers nor base64 of float32")
	}
	*v = make(vector, len(numbers))
	for i, n := range numbers {
		x, err := strconv.ParseFloat(string(n), 32)
		if err != nil { // "" of a null among it
			return errors.New("a vector holds something that is no finite number; the model may be broken")
		}
		(*v)[i] = float32(x)
	}
	return nil
}

// answer holds both protocols' shapes.
type answer struct {
	Data []struct {
		Index     *int   `json:"index"`
		Embedding vector `json:"embedding"`
	} `json:"data"` // OpenAI
	Embeddings []vector `json:"embeddings"` // Ollama
}

// decode reads an answer that must have n vectors, all of one dimension: the
// configured one, or that of the first answer.
func (h *HTTP) decode(text []byte, n int) ([][]float32, error) {
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		return nil, fmt.Errorf("its answer cannot be read (%s); is url that of a service for api = %q?", clean(err.Error(), ""), h.c.API)
	}
	if h.c.API == OpenAI {
		var err error
		if a.Embeddings, err = a.inOrder(n); err != nil {
			return nil, err
		}
	}
	if len(a.Embeddings) != n {
		return nil, fmt.Errorf("it gave %d vectors for %d texts", len(a.Embeddings), n)
	}
	vectors := make([][]float32, n)
	for i, v := range a.Embeddings {
		if err := h.check(v, len(a.Embeddings[0])); err != nil {
			return nil, err
		}
		vectors[i] = v
	}
	if n > 0 {
		h.dim.CompareAndSwap(0, int64(len(vectors[0])))
	}
	return vectors, nil
}

// inOrder puts OpenAI's vectors in the order of the texts: by their index, or as
// they stand where a service leaves all of them out.
func (a *answer) inOrder(n int) ([]vector, error) {
	if len(a.Data) != n {
		return nil, fmt.Errorf("it gave %d vectors for %d texts", len(a.Data), n)
	}
	vectors := make([]vector, n)
	for i, d := range a.Data {
		at := i
		if d.Index != nil {
			at = *d.Index
		}
		if at < 0 || at >= n || vectors[at] != nil || d.Embedding == nil || (d.Index == nil) != (a.Data[0].Index == nil) {
			return nil, errors.New("its vectors cannot be told apart: an index is missing, doubled or too large")
		}
		vectors[at] = d.Embedding
	}
	return vectors, nil
}

// check refuses a vector that an index cannot hold, or that is of another model
// than the ones before; first is the dimension of the first one in the answer.
func (h *HTTP) check(v []float32, first int) error {
	if len(v) == 0 || len(v) > maxDimensions {
		return fmt.Errorf("it gave a vector of %d dimensions", len(v))
	}
	if want := h.c.Dimensions; want != 0 && len(v) != want {
		return fmt.Errorf("it gave vectors of %d dimensions where dimensions = %d: the model cannot shorten them; set dimensions = %d or 0", len(v), want, len(v))
	}
	if before := cmp.Or(int(h.dim.Load()), first); before != len(v) {
		return fmt.Errorf("it gave vectors of %d dimensions and of %d: its model was exchanged under the same name; give it another name in model, so that everything is embedded again", before, len(v))
	}
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if math.IsNaN(sum) || math.IsInf(sum, 0) {
		return errors.New("a vector holds NaN or an infinity; the model may be broken")
	}
	if sum == 0 {
		return errors.New("a vector is all zero; the model may be broken")
	}
	return nil
}
