package vectors

// dotRows sets out[i] to the dot product of q with row i of rows, for each i of
// out. len(q) is a multiple of lanes; rows holds at least len(out)·len(q).
func dotRows(q, rows []float32, out []float32) { dotRowsGo(q, rows, out) }

// dotRowsGo is dotRows in Go. Eight sums run side by side, because each addition
// waits for the one before it.
func dotRowsGo(q, rows []float32, out []float32) {
	for i := range out {
		row := rows[i*len(q) : (i+1)*len(q)]
		var s0, s1, s2, s3, s4, s5, s6, s7 float32
		for j := 0; j+lanes <= len(q); j += lanes {
			a, b := (*[lanes]float32)(q[j:]), (*[lanes]float32)(row[j:])
			s0 += a[0] * b[0]
			s1 += a[1] * b[1]
			s2 += a[2] * b[2]
			s3 += a[3] * b[3]
			s4 += a[4] * b[4]
			s5 += a[5] * b[5]
			s6 += a[6] * b[6]
			s7 += a[7] * b[7]
		}
		out[i] = (s0 + s4 + s1 + s5) + (s2 + s6 + s3 + s7)
	}
}
