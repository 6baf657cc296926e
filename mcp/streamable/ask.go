package streamable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// maxAsks is how many requests of the server a session may have open.
const maxAsks = 64

// ask sends a request to the client, on the stream of the call that it belongs
// to, and waits for the response, which comes as a POST of its own. Only sessions
// have that: 2026-07-28 asks by returning input_required.
func (c *call) ask(ctx context.Context, method mcp.MCPMethod, params, result any) error {
	if c.sess == nil {
		return fmt.Errorf("%s: %w", method, server.ErrServerInitiatedRequestUnsupported)
	}
	id, response, err := c.sess.expect()
	if err != nil {
		return err
	}
	defer c.sess.forget(id)
	b, err := encode(struct {
		JSONRPC string        `json:"jsonrpc"`
		ID      string        `json:"id"`
		Method  mcp.MCPMethod `json:"method"`
		Params  any           `json:"params,omitempty"`
	}{mcp.JSONRPC_VERSION, id, method, params})
	if err != nil {
		return err
	}
	select {
	case c.asked <- b:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	}
	select {
	case r := <-response:
		return r.into(result)
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	}
}

// expect makes an id for a request, and a place for its response.
func (s *session) expect() (string, <-chan clientSays, error) {
	s.guard.Lock()
	defer s.guard.Unlock()
	if len(s.waiting) >= maxAsks {
		return "", nil, fmt.Errorf("the client has %d requests of the server open; it has to answer some first", maxAsks)
	}
	if s.waiting == nil {
		s.waiting = make(map[string]chan<- clientSays)
	}
	s.asks++
	id := fmt.Sprintf("server-%d", s.asks)
	response := make(chan clientSays, 1)
	s.waiting[id] = response
	return id, response, nil
}

func (s *session) forget(id string) {
	s.guard.Lock()
	defer s.guard.Unlock()
	delete(s.waiting, id)
}

// into reads a response.
func (r clientSays) into(result any) error {
	if r.fault != nil {
		var e mcp.JSONRPCErrorDetails
		if json.Unmarshal(r.fault, &e) != nil {
			return errors.New("the client refused, and did not say why")
		}
		return fmt.Errorf("the client refused: %s (%d)", e.Message, e.Code)
	}
	if err := json.Unmarshal(r.result, result); err != nil {
		return fmt.Errorf("reading the client's response: %w", err)
	}
	return nil
}

// RequestSampling asks the client's model for a message.
func (c *call) RequestSampling(ctx context.Context, r mcp.CreateMessageRequest) (*mcp.CreateMessageResult, error) {
	if c.GetClientCapabilities().Sampling == nil {
		return nil, errors.New("the client does not do sampling")
	}
	var result mcp.CreateMessageResult
	if err := c.ask(ctx, mcp.MethodSamplingCreateMessage, r.CreateMessageParams, &result); err != nil {
		return nil, err
	}
	content, err := mcp.ParseSamplingContent(result.Content)
	if err != nil {
		return nil, fmt.Errorf("reading the client's response: %w", err)
	}
	result.Content = content
	return &result, nil
}

// RequestElicitation asks the person at the client.
func (c *call) RequestElicitation(ctx context.Context, r mcp.ElicitationRequest) (*mcp.ElicitationResult, error) {
	if c.GetClientCapabilities().Elicitation == nil {
		return nil, errors.New("the client does not do elicitation")
	}
	var result mcp.ElicitationResult
	if err := c.ask(ctx, mcp.MethodElicitationCreate, r.Params, &result); err != nil {
		return nil, err
	}
	return &result, nil
}

// ListRoots asks for the client's folders.
func (c *call) ListRoots(ctx context.Context, _ mcp.ListRootsRequest) (*mcp.ListRootsResult, error) {
	if c.GetClientCapabilities().Roots == nil {
		return nil, errors.New("the client has no roots")
	}
	var result mcp.ListRootsResult
	if err := c.ask(ctx, mcp.MethodListRoots, nil, &result); err != nil {
		return nil, err
	}
	return &result, nil
}

// Detach closes the connection of the call that ctx belongs to and lets the call
// go on: the client comes back for the rest of the stream when it likes
// (SEP-1699). It spares connections where a call takes long. false: it is not
// possible, because the client's revision has no streams that are resumed.
func Detach(ctx context.Context) bool {
	c, ok := server.ClientSessionFromContext(ctx).(*call)
	if !ok || c.sess == nil || !primes(c.ProtocolVersion()) {
		return false
	}
	select {
	case c.detach <- struct{}{}:
	default:
	}
	return true
}

// goOn answers a call that was detached, into its transcript.
func (c *call) goOn(keep *keeping) {
	defer c.h.detached.Done()
	late := time.AfterFunc(c.h.cfg.DetachedAfter, func() { c.cancel(errLate) })
	defer late.Stop()
	a, _ := c.serve(c.h.closing, nil)
	keep.end(a)
	c.trace.finish(a.body)
	c.cancel(nil)
}
