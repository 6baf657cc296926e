package mcpclients

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// asking are the tools that ask the client something while they run, as the
// revisions before 2026-07-28 have it.
func (f *fixture) asking() {
	f.tool("test_sampling", "Asks the client's model.", func(ctx context.Context, r request) (*result, error) {
		//lint:ignore SA1019 the suite wants it for the revisions that have it
		m, err := f.mcp.RequestSampling(ctx, mcp.CreateMessageRequest{CreateMessageParams: sample(r.GetString("prompt", ""), 100)})
		if err != nil {
			return mcp.NewToolResultErrorFromErr("sampling", err), nil
		}
		text, _ := m.Content.(mcp.TextContent)
		return mcp.NewToolResultText("LLM response: " + text.Text), nil
	}, mcp.WithString("prompt", mcp.Required()))
	f.tool("test_elicitation", "Asks the person.", func(ctx context.Context, r request) (*result, error) {
		return f.elicit(ctx, "User response: action=%s, content=%s", r.GetString("message", ""), `{"type":"object","properties":{
			"username":{"type":"string","description":"User's response"},"email":{"type":"string","description":"User's email address"}},"required":["username","email"]}`)
	}, mcp.WithString("message", mcp.Required()))
	f.tool("test_elicitation_sep1034_defaults", "Asks with defaults.", func(ctx context.Context, _ request) (*result, error) {
		return f.elicit(ctx, "Elicitation completed: action=%s, content=%s", "Please check", `{"type":"object","properties":{
			"name":{"type":"string","default":"John Doe"},"age":{"type":"integer","default":30},"score":{"type":"number","default":95.5},
			"status":{"type":"string","enum":["active","inactive","pending"],"default":"active"},"verified":{"type":"boolean","default":true}}}`)
	})
	f.tool("test_elicitation_sep1330_enums", "Asks with choices.", func(ctx context.Context, _ request) (*result, error) {
		return f.elicit(ctx, "Elicitation completed: action=%s, content=%s", "Please choose", `{"type":"object","properties":{
			"untitledSingle":{"type":"string","enum":["option1","option2","option3"]},
			"titledSingle":{"type":"string","oneOf":[{"const":"value1","title":"First Option"},{"const":"value2","title":"Second Option"},{"const":"value3","title":"Third Option"}]},
			"legacyEnum":{"type":"string","enum":["opt1","opt2","opt3"],"enumNames":["Option One","Option Two","Option Three"]},
			"untitledMulti":{"type":"array","items":{"type":"string","enum":["option1","option2","option3"]}},
			"titledMulti":{"type":"array","items":{"anyOf":[{"const":"value1","title":"First Choice"},{"const":"value2","title":"Second Choice"},{"const":"value3","title":"Third Choice"}]}}}}`)
	})
}

var errSampling = errors.New("this needs sampling; declare it")

// coded gives the error above the code and the data that the protocol has for it;
// mcp-go makes an internal one of it.
func coded(_ context.Context, response mcp.JSONRPCMessage) mcp.JSONRPCMessage {
	e, ok := response.(mcp.JSONRPCError)
	if ok && e.Error.Message == errSampling.Error() {
		e.Error.Code = mcp.MISSING_REQUIRED_CLIENT_CAPABILITY
		e.Error.Data = map[string]any{"requiredCapabilities": map[string]any{"sampling": map[string]any{}}}
		return e
	}
	return response
}

func (f *fixture) elicit(ctx context.Context, format, message, schema string) (*result, error) {
	e, err := f.mcp.RequestElicitation(ctx, mcp.ElicitationRequest{Params: mcp.ElicitationParams{Message: message, RequestedSchema: json.RawMessage(schema)}})
	if err != nil {
		return mcp.NewToolResultErrorFromErr("elicitation", err), nil
	}
	content, _ := json.Marshal(e.Content)
	return mcp.NewToolResultText(fmt.Sprintf(format, e.Action, content)), nil
}

func sample(text string, tokens int) mcp.CreateMessageParams {
	return mcp.CreateMessageParams{MaxTokens: tokens, Messages: []mcp.SamplingMessage{{Role: mcp.RoleUser, Content: mcp.NewTextContent(text)}}}
}

// form asks for one value.
func form(message, name, kind string) mcp.ElicitationParams {
	return mcp.ElicitationParams{Message: message, RequestedSchema: json.RawMessage(
		fmt.Sprintf(`{"type":"object","properties":{%q:{"type":%q}},"required":[%q]}`, name, kind, name))}
}

// rounds are the tools that ask by returning, as 2026-07-28 has it (SEP-2322).
func (f *fixture) rounds() {
	f.tool("test_missing_capability", "Needs a client with sampling.", func(ctx context.Context, _ request) (*result, error) {
		if info := server.RequestProtocolInfoFromContext(ctx); info != nil && info.ClientCapabilities != nil && info.ClientCapabilities.Sampling == nil {
			return nil, errSampling
		}
		return mcp.NewToolResultText("ok"), nil
	})
	ask := func(name, id, message, field, kind string, then func(map[string]any) string) {
		f.tool(name, "Asks first.", func(_ context.Context, r request) (*result, error) {
			content, err := filled(r, id, field)
			if content == nil || err != nil {
				return server.NewInputRequestBuilder("").Elicit(id, form(message, field, kind)).ToolResult(), err
			}
			return mcp.NewToolResultText(then(content)), nil
		})
	}
	ask("test_input_required_result_elicitation", "user_name", "What is your name?", "name", "string", func(c map[string]any) string { return fmt.Sprintf("Hello, %v!", c["name"]) })
	ask("test_streaming_elicitation", "confirm", "Please confirm", "ok", "boolean", func(map[string]any) string { return "ok" })
	f.tool("test_input_required_result_sampling", "Asks the client's model.", func(_ context.Context, r request) (*result, error) {
		if m := server.SamplingResponse(r.Params.InputResponses, "capital_question"); m != nil {
			return mcp.NewToolResultText(fmt.Sprint(m.Content)), nil
		}
		return server.NewInputRequestBuilder("").Sample("capital_question", sample("What is the capital of France?", 100)).ToolResult(), nil
	})
	f.tool("test_input_required_result_list_roots", "Asks for the client's folders.", func(_ context.Context, r request) (*result, error) {
		if roots := server.RootsResponse(r.Params.InputResponses, "client_roots"); roots != nil {
			return mcp.NewToolResultText(fmt.Sprint(roots.Roots)), nil
		}
		return server.NewInputRequestBuilder("").Roots("client_roots").ToolResult(), nil
	})
	f.tool("test_input_required_result_multiple_inputs", "Asks three things.", func(_ context.Context, r request) (*result, error) {
		in := r.Params.InputResponses
		if server.ElicitationResponse(in, "user_name") != nil && server.SamplingResponse(in, "greeting") != nil && server.RootsResponse(in, "client_roots") != nil {
			return mcp.NewToolResultText("All three, thank you."), nil
		}
		return server.NewInputRequestBuilder("all").Elicit("user_name", form("What is your name?", "name", "string")).
			Sample("greeting", sample("Generate a greeting", 50)).Roots("client_roots").ToolResult(), nil
	})
	f.tool("test_input_required_result_capabilities", "Asks what the client can answer.", func(ctx context.Context, _ request) (*result, error) {
		b := server.NewInputRequestBuilder("")
		if info := server.RequestProtocolInfoFromContext(ctx); info != nil && info.ClientCapabilities != nil {
			if info.ClientCapabilities.Elicitation != nil {
				b.Elicit("name", form("What is your name?", "name", "string"))
			}
			if info.ClientCapabilities.Sampling != nil {
				b.Sample("greeting", sample("Generate a greeting", 50))
			}
		}
		return b.ToolResult(), nil
	})
	f.states()
}

// states are the tools whose state travels with the client.
func (f *fixture) states() {
	confirm := func(name string) {
		f.tool(name, "Asks for a confirmation, and knows its own state again.", func(_ context.Context, r request) (*result, error) {
			if r.Params.RequestState != "" {
				if _, ok := unsealed(r.Params.RequestState); !ok {
					return nil, fmt.Errorf("the state is not one of ours; begin again")
				}
				if content, err := filled(r, "confirm", "ok"); content != nil || err != nil {
					return mcp.NewToolResultText("state-ok"), err
				}
			}
			return server.NewInputRequestBuilder(sealed("confirm")).Elicit("confirm", form("Please confirm", "ok", "boolean")).ToolResult(), nil
		})
	}
	confirm("test_input_required_result_request_state")
	confirm("test_input_required_result_tampered_state")
	f.tool("test_input_required_result_multi_round", "Asks twice.", func(_ context.Context, r request) (*result, error) {
		state, _ := unsealed(r.Params.RequestState)
		switch {
		case state == "one" && server.ElicitationResponse(r.Params.InputResponses, "step1") != nil:
			return server.NewInputRequestBuilder(sealed("two")).Elicit("step2", form("Step 2: What is your favorite color?", "color", "string")).ToolResult(), nil
		case state == "two" && server.ElicitationResponse(r.Params.InputResponses, "step2") != nil:
			return mcp.NewToolResultText("Done."), nil
		}
		return server.NewInputRequestBuilder(sealed("one")).Elicit("step1", form("Step 1: What is your name?", "name", "string")).ToolResult(), nil
	})
}

// filled returns what the person filled in, nil where nothing came.
func filled(r request, id, field string) (map[string]any, error) {
	if _, ok := r.Params.InputResponses[id]; !ok {
		return nil, nil
	}
	e := server.ElicitationResponse(r.Params.InputResponses, id)
	if e == nil {
		return nil, errInput
	}
	content, ok := e.Content.(map[string]any)
	if _, there := content[field]; !ok || !there {
		return nil, errInput
	}
	return content, nil
}

// sealed and unsealed keep a state from being changed on its way.
func sealed(state string) string {
	m := hmac.New(sha256.New, []byte("the fixture's key"))
	m.Write([]byte(state))
	return state + "." + hex.EncodeToString(m.Sum(nil))
}

func unsealed(s string) (string, bool) {
	state, _, _ := strings.Cut(s, ".")
	return state, hmac.Equal([]byte(sealed(state)), []byte(s))
}
