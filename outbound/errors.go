package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
)

// The kinds of error; errors.Is finds them in an [Error].
var (
	// ErrAddress: the address cannot be used as it is written.
	ErrAddress = errors.New("address refused")
	// ErrUnreachable: the name does not exist, leads to an address that may not be
	// reached, or nobody takes the connection. Which of them is not told.
	ErrUnreachable = errors.New("not reachable")
	// ErrCertificate: TLS failed, mostly because of the certificate.
	ErrCertificate = errors.New("no trusted certificate")
	// ErrTimeout: connected, but the answer took too long.
	ErrTimeout = errors.New("timeout")
	// ErrRedirect: the answer leads elsewhere.
	ErrRedirect = errors.New("redirect refused")
	// ErrTooLarge: the answer's headers or body are over the cap.
	ErrTooLarge = errors.New("answer too large")
	// ErrAnswer: what came is no HTTP, is compressed, or broke off.
	ErrAnswer = errors.New("no usable answer")
)

// Error is why a request failed. Its text may be shown to whoever gave the address:
// it has nothing of the network that the server stands in, neither addresses nor which
// names exist there. It does not unwrap to its cause, so that no wrapping brings
// that to light by accident.
type Error struct {
	Kind   error  // one of the kinds above
	Status int    // of the answer, where there was one (ErrRedirect, ErrTooLarge, ErrAnswer)
	Text   string // for the one who gave the address

	// Cause is for the operator's log only. Nil where Text says it all.
	Cause error
}

func (e *Error) Error() string { return e.Text }

// Is makes errors.Is(err, ErrTimeout) and the like true.
func (e *Error) Is(target error) bool { return target == e.Kind }

// errInside is what control answers; it never leaves the package but as a Cause.
var errInside = errors.New("the address is not public and not allowed")

func refuse(format string, args ...any) error {
	return &Error{Kind: ErrAddress, Text: fmt.Sprintf(format, args...)}
}

// Texts for the kinds.
const (
	textUnreachable = "the address could not be reached: the name does not exist, nobody answers there, or it is not public"
	textCertificate = "TLS failed: the receiver needs a certificate for this name that is publicly trusted"
	textTimeout     = "the receiver took too long"
	textRedirect    = "the receiver answered with a redirect, which is not followed: give its final address"
	textHeaders     = "the answer's headers are too large, or are no HTTP"
	textBody        = "the answer is larger than %d bytes"
	textBroken      = "the receiver broke off its answer"
	textEncoding    = "the answer is compressed, which was not asked for"
)

// explain sorts an error of net/http. stage tells how far the request came.
func explain(err error, stage stage) error {
	if own := (*Error)(nil); errors.As(err, &own) {
		return own
	}
	if errors.Is(err, context.Canceled) {
		return context.Canceled // without the address in it that net/http puts around
	}
	var (
		op    *net.OpError
		bad   *tls.CertificateVerificationError
		alert tls.AlertError
		rec   tls.RecordHeaderError
		host  x509.HostnameError
	)
	switch {
	case errors.Is(err, errInside), stage == dialling, errors.As(err, &op) && op.Op == "dial":
		return &Error{Kind: ErrUnreachable, Text: textUnreachable, Cause: err}
	case stage == shaking, errors.As(err, &bad), errors.As(err, &alert), errors.As(err, &rec), errors.As(err, &host):
		return &Error{Kind: ErrCertificate, Text: textCertificate, Cause: err}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), isTimeout(err):
		return &Error{Kind: ErrTimeout, Text: textTimeout, Cause: err}
	}
	return &Error{Kind: ErrAnswer, Text: textHeaders, Cause: err}
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}
