package server

import (
	"errors"
	"flag"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"wikibot/limit"
	"wikibot/record"
	"wikibot/wiki"
)

// TestTwin: config.toml has every key of Config with its default, nothing else,
// and a comment above each.
func TestTwin(t *testing.T) {
	data, err := os.ReadFile("../config.toml")
	if err != nil {
		t.Fatal(err)
	}
	var read Config // from nothing, not from the defaults
	if faults := record.Decode("config.toml", data, &read); faults != nil {
		t.Fatal(faults)
	}
	if want := Default(); !reflect.DeepEqual(read, want) {
		t.Errorf("config.toml and Default differ:\n got %+v\nwant %+v", read, want)
	}
	doc, _ := record.Scan("config.toml", data)
	lines := strings.Split(string(data), "\n")
	for _, k := range keys() {
		e, ok := doc.Lookup(k.path...)
		if !ok {
			t.Errorf("config.toml lacks %s", k.name())
			continue
		}
		if line, _ := e.Position(); !strings.HasPrefix(lines[line-2], "#") {
			t.Errorf("config.toml: no comment above %s", k.name())
		}
		if k.help == "" {
			t.Errorf("%s has no help", k.name())
		}
	}
}

// TestNames: no two keys share a flag or a variable.
func TestNames(t *testing.T) {
	seen := map[string]string{"config": "--config", "WIKIBOT_CONFIG": "", "help": "", "h": ""}
	for _, k := range keys() {
		for _, n := range []string{k.flag(), k.env()} {
			if other, ok := seen[n]; ok {
				t.Errorf("%s and %s are both %s", k.name(), other, n)
			}
			seen[n] = k.name()
		}
	}
}

// load runs Load with one file, "config.toml", that exists if it has text.
func load(file string, env []string, args ...string) (Loaded, error) {
	return Load(Sources{Args: args, Env: env, ReadFile: func(name string) ([]byte, error) {
		if name != "config.toml" || file == "" {
			return nil, &os.PathError{Op: "open", Path: name, Err: os.ErrNotExist}
		}
		return []byte(file), nil
	}})
}

// TestOrder: each source wins over the ones before it.
func TestOrder(t *testing.T) {
	const file = "listen = \":1\"\ndata = \"file\"\n[limits]\npage = \"2MB\"\n"
	env := []string{"PATH=/bin", "WIKIBOT_DATA=env", "WIKIBOT_LIMITS_PAGE=3MB", "WIKIBOT_BASE_URL="}
	got, err := load(file, env, "SOURCE", "--limits-page=4MB", "--http-trusted-proxies", "127.0.0.1, 10.1.2.3/8", "--markdown-remote-images", "slug", "--", "--x")
	if err != nil {
		t.Fatal(err)
	}
	c := got.Config
	if c.Listen != ":1" || c.Data != "env" || c.Limits.Page != 4*MB || c.Limits.Attachment != 10*MB || !c.Markdown.RemoteImages {
		t.Errorf("got %+v", c)
	}
	if len(c.HTTP.TrustedProxies) != 2 || c.HTTP.TrustedProxies[0].String() != "127.0.0.1/32" || c.HTTP.TrustedProxies[1].String() != "10.0.0.0/8" {
		t.Errorf("got proxies %v", c.HTTP.TrustedProxies)
	}
	if !slices.Equal(got.Args, []string{"SOURCE", "slug", "--x"}) || got.File != "config.toml" {
		t.Errorf("got %q from %q", got.Args, got.File)
	}
}

// TestEveryKey: each key can be set by variable and by flag, to another value
// than its default, and shows itself as it can be read.
func TestEveryKey(t *testing.T) {
	other := map[string]string{
		"listen": "127.0.0.1:9", "base_url": "https://w.example", "layout": "subdomain", "data": "d", "git": "/g",
		"http.trusted_proxies": "10.0.0.0/8,::1/128", "log.level": "debug", "log.format": "json", "limits.git_processes": "3", "markdown.remote_images": "true",
		"ssh_listen": ":2222", "ssh.host": "git.example.org:22", "ssh.max_connections": "3", "ssh.per_address": "3", "ssh.per_key": "3",
		"agents.origins": "https://app.example.org", "agents.visitors": "false", "webhooks.per_wiki": "3", "webhooks.site": "3", "webhooks.parallel": "3", "webhooks.http": "true", "webhooks.allow": "10.0.0.0/8", "webhooks.deny": "10.0.0.0/8", "agents.streams": "3", "agents.credential_streams": "3", "agents.sessions": "3",
		"search.language": "de", "search.workers": "3", "search.embedder.kind": "http", "search.embedder.api": "ollama", "search.embedder.url": "http://127.0.0.1:1",
		"search.embedder.model": "m", "search.embedder.dimensions": "3", "search.embedder.key_file": "f", "search.embedder.key_env": "K", "search.embedder.batch": "3",
		"search.embedder.query_prefix": "query:", "search.embedder.document_prefix": "passage:", "search.embedder.insecure": "true",
	}
	need := map[string][]string{"search.embedder.kind": {"--search-embedder-url=http://127.0.0.1:1", "--search-embedder-model=m"}}
	for _, k := range keys() {
		value := other[k.name()]
		switch {
		case value != "":
		case k.typ == reflect.TypeFor[Size]():
			value = "7MB"
		case k.typ == reflect.TypeFor[Duration]():
			value = "400d"
		case k.typ == reflect.TypeFor[limit.Rate]():
			value = "7/m burst 9"
		default:
			t.Fatalf("say another value for %s", k.name())
		}
		if k.name() == "sessions.idle" {
			value = "20d"
		}
		byEnv, err := load("", []string{k.env() + "=" + value}, need[k.name()]...)
		if err != nil {
			t.Errorf("%s: %v", k.env(), err)
			continue
		}
		byFlag, err := load("", nil, append(need[k.name()], "--"+k.flag()+"="+value)...)
		if err != nil {
			t.Errorf("--%s: %v", k.flag(), err)
			continue
		}
		for _, c := range []Config{byEnv.Config, byFlag.Config} {
			if got := show(k.value(&c)); got != value {
				t.Errorf("%s: got %q, want %q", k.name(), got, value)
			}
			if reflect.DeepEqual(c, Default()) {
				t.Errorf("%s changes nothing", k.name())
			}
		}
	}
}

// TestRefused: every mistake is named with its place and the next step.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name, file string
		env, args  []string
		want       []string
	}{
		{"unknown key", "listem = \":1\"\n[limits]\nattachmnt = 1\n", nil, nil, []string{`config.toml:1:1: unknown key listem at the top of the file (did you mean "listen"?)`, `config.toml:3:1: unknown key attachmnt in [limits] (did you mean "attachment"?)`, "config none"}},
		{"unknown section", "[limit]\npage = 1\n", nil, nil, []string{`config.toml:1:2: unknown key limit at the top of the file (did you mean "limits"?)`}},
		{"capitals", "Listen = \":1\"\n", nil, nil, []string{`did you mean "listen"?`}},
		{"syntax", "listen = \":1\n", nil, nil, []string{"config.toml:1:10: the string is not closed"}},
		{"twice", "git = \"a\"\ngit = \"b\"\n", nil, nil, []string{"config.toml:2:1: the key git is defined already on line 1"}},
		{"kind", "listen = 8080\n[limits]\ngit_processes = \"4\"\n", nil, nil, []string{"config.toml:1:10: listen must be a string, not an integer: put it in quotes", "config.toml:3:17: limits.git_processes must be an integer"}},
		{"size", "[limits]\npage = \"1 XB\"\n", nil, nil, []string{`config.toml:2:8: limits.page: "1 XB" is not a size: write a number with kB, MB or GB`}},
		{"time", "shutdown_grace = 30\n", nil, nil, []string{`config.toml:1:18: shutdown_grace: "30" is not a length of time`}},
		{"layout", "layout = \"sub\"\n", nil, nil, []string{`config.toml:1:1: layout: the layout "sub" is not one of path, subdomain`}},
		{"level", "[log]\nlevel = \"loud\"\n", nil, nil, []string{`config.toml:2:9: log.level: "loud" is not a level of the log: use debug, info, warn or error`}},
		{"base", "base_url = \"https://x.example/wiki\"\n", nil, nil, []string{"config.toml:1:1: base_url: the base URL", "must have no path"}},
		{"value", "[limits]\npush = \"1kB\"\ngit_processes = 0\n", nil, nil, []string{"config.toml:2:1: limits.push", "config.toml:3:1: limits.git_processes"}},
		{"ssh", "listen = \":1\"\nssh_listen = \":1\"\n[ssh]\nhost = \"ssh://x\"\nper_key = 0\nkeepalive = \"0s\"\n", nil, nil, []string{"config.toml:2:1: ssh_listen: \":1\" is the address of listen too", "config.toml:4:1: ssh.host: \"ssh://x\" is no host name", "config.toml:5:1: ssh.per_key: 0: at least 1", "config.toml:6:1: ssh.keepalive"}},
		{"ssh address", "ssh_listen = \"2222\"\n", nil, nil, []string{"config.toml:1:1: ssh_listen: \"2222\" is no address"}},
		{"variable", "", []string{"WIKIBOT_LISTN=:1", "WIKIBOT_LIMITS_PAGE=x"}, nil, []string{`unknown environment variable WIKIBOT_LISTN (did you mean "WIKIBOT_LISTEN"?)`, `WIKIBOT_LIMITS_PAGE: "x" is not a size`}},
		{"variable's value", "listen = \":2\"\n", []string{"WIKIBOT_LISTEN=nowhere"}, nil, []string{`WIKIBOT_LISTEN: "nowhere" is no address`}},
		{"flag", "", nil, []string{"--base-ur", "x"}, []string{`unknown flag --base-ur (did you mean "base-url"?)`}},
		{"flag's value", "", nil, []string{"--sessions-idle", "500d"}, []string{"sessions.lifetime"}},
		{"no value", "", nil, []string{"--data"}, []string{"--data needs a value"}},
		{"no file", "", nil, []string{"--config", "gone.toml"}, []string{"gone.toml does not exist"}},
	} {
		_, err := load(c.file, c.env, c.args...)
		if !errors.Is(err, wiki.ErrInvalid) {
			t.Errorf("%s: got %v, want an ErrInvalid", c.name, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in\n%v", c.name, want, err)
			}
		}
	}
}

// TestAccepted: what looks odd and is right.
func TestAccepted(t *testing.T) {
	env := []string{"WIKIBOT_PORT=tcp://10.0.0.1:80", "WIKIBOT_PORT_80_TCP_ADDR=10.0.0.1", "WIKIBOT_SERVICE_HOST=10.0.0.1", "WIKIBOT_SERVICE_PORT=80", "WIKIBOT_SSH_PORT=tcp://10.0.0.1:22", "WIKIBOT_SSH_PORT_22_TCP_ADDR=10.0.0.1", "WIKIBOT_SSH_SERVICE_HOST=10.0.0.1"}
	got, err := load("listem = 1", env, "--config", "none")
	if err != nil || !reflect.DeepEqual(got.Config, Default()) || got.File != "" {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := load("", nil, "--help"); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("got %v, want ErrHelp", err)
	}
	fs := flag.NewFlagSet("token", flag.ContinueOnError)
	role, force := fs.String("role", "viewer", "role of the token"), fs.Bool("force", false, "do it")
	l, err := Load(Sources{Args: []string{"--data", "x", "token", "create", "--role", "editor", "--force"}, Flags: fs, ReadFile: os.ReadFile})
	if err != nil || *role != "editor" || !*force || l.Config.Data != "x" || !slices.Equal(l.Args, []string{"token", "create"}) {
		t.Errorf("got %v %v %+v %v", *role, *force, l, err)
	}
}

func TestParseConfig(t *testing.T) {
	c, faults := ParseConfig("c.toml", []byte("[cache]\ncontent = 5000000\n"))
	if faults != nil || c.Cache.Content != 5*MB || c.Listen != Default().Listen {
		t.Errorf("got %+v, %v", c, faults)
	}
	_, faults = ParseConfig("c.toml", []byte("[cache]\ncontent = \"5\"\n"))
	if len(faults) != 1 || faults[0].Line != 2 || faults[0].File != "c.toml" {
		t.Errorf("got %v", faults)
	}
}

func TestUsage(t *testing.T) {
	text := Usage(nil)
	for _, want := range []string{"--listen ", "(default 127.0.0.1:8080)", "[limits]", "--limits-page ", "(default 1MB)", "(default 30d)", "(default info)"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{"0": 0, "17": 17, "64MB": 64e6, "64mb": 64e6, "1.5 GiB": 3 << 29, "2GB": 2e9, "50_000": 50_000, "1kB": 1000, "10 B": 10, "3KiB": 3072} {
		var got Size
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
		var back Size
		if err := back.UnmarshalText([]byte(got.String())); err != nil || back != got {
			t.Errorf("%q: %q reads as %d, %v", text, got, back, err)
		}
	}
	for _, text := range []string{"", "MB", "-1", "1e3", "0x10", "1TB", "inf", "9999999999GB", "1,000", "+5"} {
		if err := new(Size).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{"30s": 30 * time.Second, "30d": 720 * time.Hour, "1h30m": 90 * time.Minute, "250ms": 250 * time.Millisecond, "0.5d": 12 * time.Hour, "2m": 2 * time.Minute, "0s": 0} {
		var got Duration
		if err := got.UnmarshalText([]byte(text)); err != nil || time.Duration(got) != want {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
		var back Duration
		if err := back.UnmarshalText([]byte(got.String())); err != nil || back != got {
			t.Errorf("%q: %q reads as %v, %v", text, got, back, err)
		}
	}
	for _, text := range []string{"", "30", "0", "d", "1w", "soon", "NaNd", "infd"} {
		if err := new(Duration).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestSSHAddresses(t *testing.T) {
	for _, c := range []struct{ listen, ssh, base, host, want string }{
		{"127.0.0.1:8080", "", "", "git.example.org", ""},
		{"127.0.0.1:8080", "auto", "", "", "ssh://git@127.0.0.1:2222/notes.git"},
		{"127.0.0.1:8080", ":2222", "https://wiki.example.org", "", "ssh://git@wiki.example.org:2222/notes.git"},
		{"127.0.0.1:8080", ":22", "https://wiki.example.org", "", "ssh://git@wiki.example.org/notes.git"},
		{"127.0.0.1:8080", ":2222", "https://wiki.example.org", "git.example.org", "ssh://git@git.example.org:2222/notes.git"},
		{"127.0.0.1:8080", ":2222", "https://wiki.example.org", "git.example.org:22", "ssh://git@git.example.org/notes.git"},
		{"[::1]:80", "[::1]:2222", "", "", "ssh://git@[::1]:2222/notes.git"},
		{"[::1]:80", "[::1]:22", "", "", "ssh://git@[::1]/notes.git"},
	} {
		a, err := Config{Listen: c.listen, SSHListen: c.ssh, BaseURL: c.base, Layout: "path", SSH: SSHConfig{Host: c.host}}.Addresses()
		if err != nil || a.SSH("notes") != c.want {
			t.Errorf("%+v: got %q, %v", c, a.SSH("notes"), err)
		}
	}
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		listen, base string
		layout       wiki.Layout
		want         string
	}{
		{"127.0.0.1:8080", "", "path", "http://127.0.0.1:8080"},
		{"127.0.0.1:8080", "", "subdomain", "http://localhost:8080"},
		{":80", "", "path", "http://localhost:80"},
		{"[::1]:80", "", "path", "http://[::1]:80"},
		{":80", "https://Wiki.example.org", "subdomain", "https://wiki.example.org"},
	} {
		a, err := Config{Listen: c.listen, BaseURL: c.base, Layout: c.layout}.Addresses()
		if err != nil || a.Site("") != c.want {
			t.Errorf("%+v: got %q, %v", c, a.Site(""), err)
		}
	}
}

// FuzzConfig: no file makes it panic, and each fault has a place.
func FuzzConfig(f *testing.F) {
	f.Add([]byte("listen = \":1\"\n[limits]\npage = \"2MB\"\n[http]\ntrusted_proxies = [\"::1\", 4]\n"))
	f.Add([]byte("limits.page = 1\nlimits.push = []\nlog = {level = 3}\n[[cache]]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, faults := ParseConfig("c.toml", data)
		for _, fault := range faults {
			if fault.Text == "" || fault.File != "c.toml" {
				t.Errorf("%q: %+v", data, fault)
			}
		}
	})
}
