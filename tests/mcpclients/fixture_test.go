package mcpclients

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"wikibot/mcp/streamable"
)

// fixture is the server that the conformance suite wants to talk to: it names
// the tools, resources and prompts that it calls, none of which a wiki has. Our
// transport and mcp-go serve it as they serve a wiki.
type fixture struct {
	mcp *server.MCPServer
	h   *streamable.Handler
}

const (
	pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
	sound = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="
)

// startFixture serves the fixture on loopback and returns its address.
func startFixture(t *testing.T) string {
	t.Helper()
	f := &fixture{}
	f.mcp = server.NewMCPServer("fixture", "1.0.0",
		server.WithToolCapabilities(true), server.WithPromptCapabilities(true), server.WithResourceCapabilities(true, true),
		server.WithLogging(), server.WithCompletions(), server.WithElicitation(), server.WithRoots(),
		server.WithPromptCompletionProvider(completions{}), server.WithResourceCompletionProvider(completions{}))
	f.tools()
	f.asking()
	f.rounds()
	f.resources()
	f.prompts()
	h, err := streamable.New(streamable.Config{Server: f.mcp, Answer: coded, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	f.h = h
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The server in front of the transport checks the host, as wikibot's does.
		if host, _, _ := net.SplitHostPort(r.Host); host != "127.0.0.1" && host != "localhost" {
			http.Error(w, "this host is not served here", http.StatusMisdirectedRequest)
			return
		}
		h.ServeHTTP(w, r, streamable.Peer{Key: "suite"})
	}))
	t.Cleanup(func() {
		h.Close()
		s.Close()
	})
	return s.URL + "/mcp"
}

type (
	request = mcp.CallToolRequest
	result  = mcp.CallToolResult
)

func (f *fixture) tool(name, about string, do func(context.Context, request) (*result, error), options ...mcp.ToolOption) {
	f.mcp.AddTool(mcp.NewTool(name, append([]mcp.ToolOption{mcp.WithDescription(about)}, options...)...), do)
}

func says(content ...mcp.Content) func(context.Context, request) (*result, error) {
	return func(context.Context, request) (*result, error) { return &result{Content: content}, nil }
}

func (f *fixture) tools() {
	text := func(uri, kind, text string) mcp.Content {
		return mcp.NewEmbeddedResource(mcp.TextResourceContents{URI: uri, MIMEType: kind, Text: text})
	}
	f.tool("test_simple_text", "Says a text.", says(mcp.NewTextContent("This is a simple text response for testing.")))
	f.tool("test_image_content", "Shows an image.", says(mcp.NewImageContent(pixel, "image/png")))
	f.tool("test_audio_content", "Plays a sound.", says(mcp.NewAudioContent(sound, "audio/wav")))
	f.tool("test_embedded_resource", "Has a resource in it.", says(text("test://embedded-resource", "text/plain", "This is an embedded resource content.")))
	f.tool("test_multiple_content_types", "Has one of each.", says(mcp.NewTextContent("Multiple content types test:"), mcp.NewImageContent(pixel, "image/png"),
		text("test://mixed-content-resource", "application/json", `{"test":"data","value":123}`)))
	f.tool("test_error_handling", "Fails.", func(context.Context, request) (*result, error) {
		return mcp.NewToolResultError("This tool intentionally returns an error for testing"), nil
	})
	f.tool("test_tool_with_logging", "Logs.", f.logs)
	f.tool("test_logging_tool", "Logs.", f.logs)
	f.tool("test_tool_with_progress", "Says how far it is.", f.progress)
	f.tool("test_reconnection", "Sends the client away, and answers when it has come back.", func(ctx context.Context, _ request) (*result, error) {
		streamable.Detach(ctx)
		pause(ctx)
		return mcp.NewToolResultText("Reconnection test completed"), ctx.Err()
	})
	f.tool("test_trigger_tool_change", "Changes the list of tools.", func(context.Context, request) (*result, error) {
		f.tool("test_comes_and_goes", "Comes and goes.", says(mcp.NewTextContent("here")))
		f.mcp.DeleteTools("test_comes_and_goes")
		return mcp.NewToolResultText("changed"), nil
	})
	f.tool("test_trigger_prompt_change", "Changes the list of prompts.", func(context.Context, request) (*result, error) {
		f.mcp.AddPrompt(mcp.NewPrompt("test_comes_and_goes", mcp.WithPromptDescription("Comes and goes.")), saysPrompt(mcp.NewTextContent("here")))
		f.mcp.DeletePrompts("test_comes_and_goes")
		return mcp.NewToolResultText("changed"), nil
	})
	f.mcp.AddTool(mcp.NewToolWithRawSchema("json_schema_2020_12_tool", "Tool with JSON Schema 2020-12 features", json.RawMessage(schema2020)), says(mcp.NewTextContent("ok")))
	f.mcp.AddTool(mcp.NewToolWithRawSchema("test_headers", "Has a parameter that travels in a header.", json.RawMessage(`{"type":"object",
		"properties":{"region":{"type":"string","x-mcp-header":"Region"}},"required":["region"]}`)), says(mcp.NewTextContent("ok")))
}

const schema2020 = `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object",
	"$defs":{"address":{"$anchor":"addressDef","type":"object","properties":{"street":{"type":"string"},"city":{"type":"string"}}}},
	"properties":{"name":{"type":"string"},"address":{"$ref":"#/$defs/address"},"contactMethod":{"type":"string","enum":["phone","email"]},
		"phone":{"type":"string"},"email":{"type":"string"}},
	"allOf":[{"anyOf":[{"required":["phone"]},{"required":["email"]}]}],
	"if":{"properties":{"contactMethod":{"const":"phone"}},"required":["contactMethod"]},
	"then":{"required":["phone"]},"else":{"required":["email"]},"additionalProperties":false}`

// pause is the time that the suite wants between two notifications.
func pause(ctx context.Context) {
	select {
	case <-time.After(50 * time.Millisecond):
	case <-ctx.Done():
	}
}

func (f *fixture) logs(ctx context.Context, _ request) (*result, error) {
	for i, text := range []string{"Tool execution started", "Tool processing data", "Tool execution completed"} {
		if i > 0 {
			pause(ctx)
		}
		if err := f.mcp.SendLogMessageToClient(ctx, mcp.NewLoggingMessageNotification(mcp.LoggingLevelInfo, "fixture", text)); err != nil {
			return nil, err
		}
	}
	return mcp.NewToolResultText("Logged three times."), nil
}

func (f *fixture) progress(ctx context.Context, r request) (*result, error) {
	for i, percent := range []int{0, 50, 100} {
		if i > 0 {
			pause(ctx)
		}
		if r.Params.Meta == nil || r.Params.Meta.ProgressToken == nil {
			continue
		}
		if err := f.mcp.SendNotificationToClient(ctx, "notifications/progress", map[string]any{
			"progressToken": r.Params.Meta.ProgressToken, "progress": percent, "total": 100, "message": fmt.Sprintf("%d of 100", percent)}); err != nil {
			return nil, err
		}
	}
	return mcp.NewToolResultText("Went from 0 to 100."), nil
}

func (f *fixture) resources() {
	add := func(uri, name, kind string, contents mcp.ResourceContents) {
		f.mcp.AddResource(mcp.NewResource(uri, name, mcp.WithResourceDescription("A "+name+"."), mcp.WithMIMEType(kind)),
			func(context.Context, mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
				return []mcp.ResourceContents{contents}, nil
			})
	}
	add("test://static-text", "text", "text/plain", mcp.TextResourceContents{URI: "test://static-text", MIMEType: "text/plain", Text: "This is the content of the static text resource."})
	add("test://static-binary", "image", "image/png", mcp.BlobResourceContents{URI: "test://static-binary", MIMEType: "image/png", Blob: pixel})
	add("test://watched-resource", "thing that is watched", "text/plain", mcp.TextResourceContents{URI: "test://watched-resource", MIMEType: "text/plain", Text: "Watch me."})
	f.mcp.AddResourceTemplate(mcp.NewResourceTemplate("test://template/{id}/data", "by id", mcp.WithTemplateDescription("Data by its id."), mcp.WithTemplateMIMEType("application/json")),
		func(_ context.Context, r mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			id := strings.TrimSuffix(strings.TrimPrefix(r.Params.URI, "test://template/"), "/data")
			return []mcp.ResourceContents{mcp.TextResourceContents{URI: r.Params.URI, MIMEType: "application/json",
				Text: fmt.Sprintf(`{"id":%q,"templateTest":true,"data":"Data for ID: %s"}`, id, id)}}, nil
		})
}

func saysPrompt(content ...mcp.Content) server.PromptHandlerFunc {
	return func(context.Context, mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return prompt(content...), nil
	}
}

func prompt(content ...mcp.Content) *mcp.GetPromptResult {
	r := &mcp.GetPromptResult{}
	for _, c := range content {
		r.Messages = append(r.Messages, mcp.NewPromptMessage(mcp.RoleUser, c))
	}
	return r
}

func (f *fixture) prompts() {
	about := mcp.WithPromptDescription
	f.mcp.AddPrompt(mcp.NewPrompt("test_simple_prompt", about("Says a text.")), saysPrompt(mcp.NewTextContent("This is a simple prompt for testing.")))
	f.mcp.AddPrompt(mcp.NewPrompt("test_prompt_with_image", about("Shows an image.")), saysPrompt(mcp.NewImageContent(pixel, "image/png"), mcp.NewTextContent("Please analyze the image above.")))
	f.mcp.AddPrompt(mcp.NewPrompt("test_prompt_with_arguments", about("Takes two arguments."),
		mcp.WithArgument("arg1", mcp.ArgumentDescription("First test argument"), mcp.RequiredArgument()),
		mcp.WithArgument("arg2", mcp.ArgumentDescription("Second test argument"), mcp.RequiredArgument())),
		func(_ context.Context, r mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			return prompt(mcp.NewTextContent(fmt.Sprintf("Prompt with arguments: arg1='%s', arg2='%s'", r.Params.Arguments["arg1"], r.Params.Arguments["arg2"]))), nil
		})
	f.mcp.AddPrompt(mcp.NewPrompt("test_prompt_with_embedded_resource", about("Has a resource in it."),
		mcp.WithArgument("resourceUri", mcp.ArgumentDescription("URI of the resource to embed"), mcp.RequiredArgument())),
		func(_ context.Context, r mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			embedded := mcp.TextResourceContents{URI: r.Params.Arguments["resourceUri"], MIMEType: "text/plain", Text: "Embedded resource content for testing."}
			return prompt(mcp.NewEmbeddedResource(embedded), mcp.NewTextContent("Please process the embedded resource above.")), nil
		})
	f.mcp.AddPrompt(mcp.NewPrompt("test_input_required_result_prompt", about("Asks first.")), func(_ context.Context, r mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		if e := server.ElicitationResponse(r.Params.InputResponses, "user_context"); e != nil {
			return prompt(mcp.NewTextContent(fmt.Sprintf("In the context of %v.", e.Content))), nil
		}
		return server.NewInputRequestBuilder("").Elicit("user_context", form("What context should the prompt use?", "context", "string")).PromptResult(), nil
	})
}

type completions struct{}

func (completions) CompletePromptArgument(_ context.Context, _ string, a mcp.CompleteArgument, _ mcp.CompleteContext) (*mcp.Completion, error) {
	return completions{}.complete(a)
}

func (completions) CompleteResourceArgument(_ context.Context, _ string, a mcp.CompleteArgument, _ mcp.CompleteContext) (*mcp.Completion, error) {
	return completions{}.complete(a)
}

func (completions) complete(a mcp.CompleteArgument) (*mcp.Completion, error) {
	c := &mcp.Completion{Values: []string{}}
	for _, v := range []string{"paris", "park", "party"} {
		if strings.HasPrefix(v, a.Value) {
			c.Values = append(c.Values, v)
		}
	}
	c.Total = len(c.Values)
	return c, nil
}

var errInput = errors.New("that is not what was asked for; answer the question again")
