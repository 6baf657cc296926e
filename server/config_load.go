package server

import (
	"encoding"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"wikibot/record"
	"wikibot/wiki"
)

const (
	envPrefix     = "WIKIBOT_"
	defaultConfig = "config.toml" // in the working folder, where it exists
	noConfig      = "none"        // --config none: no file at all
)

// Sources is where a configuration comes from. Later ones win: the defaults,
// the file, the environment, the flags.
type Sources struct {
	// Args are the command line after the command's name.
	Args []string

	// Env is the environment as os.Environ gives it.
	Env []string

	// Flags are the command's own flags, beside those of the configuration;
	// nil for none. Load sets them.
	Flags *flag.FlagSet

	// ReadFile reads the config file. Default: os.ReadFile.
	ReadFile func(name string) ([]byte, error)
}

// Loaded is what Load found.
type Loaded struct {
	Config Config
	File   string   // the config file that was read; empty for none
	Args   []string // the command line without its flags
}

// Load reads the configuration. Each key "section.name" of the file is the
// variable WIKIBOT_SECTION_NAME and the flag --section-name as well; a list is
// separated by commas there. The file is --config, else WIKIBOT_CONFIG, else
// config.toml in the working folder where there is one; "none" reads none.
// Flags and other arguments may be mixed; "--" ends the flags. A variable that
// is empty counts as not set.
//
// Everything that is unknown or wrong is named at once, as a wiki.Faults or an
// ErrInvalid with the place and the next step. --help gives flag.ErrHelp.
func Load(s Sources) (Loaded, error) {
	l := loader{Sources: s, keys: keys(), origin: map[string]string{}, config: Default()}
	if l.ReadFile == nil {
		l.ReadFile = os.ReadFile
	}
	if err := l.arguments(); err != nil {
		return Loaded{}, err
	}
	vars := l.environment()
	if err := l.file(vars); err != nil {
		return Loaded{}, err
	}
	for _, k := range l.keys {
		if v, ok := vars[k.env()]; ok {
			l.set(k, v, k.env())
		}
		if v, ok := l.given[k.flag()]; ok {
			l.set(k, v, "--"+k.flag())
		}
	}
	if l.faults != nil {
		return Loaded{}, l.faults
	}
	for _, p := range l.config.problems() {
		l.fault(p.key, p.text)
	}
	return Loaded{l.config, l.name, l.rest}, l.faults.OrNil()
}

// ParseConfig reads a config file alone: the defaults with what data sets. file
// is its name in the faults, which say where each mistake is and how to mend it.
func ParseConfig(file string, data []byte) (Config, wiki.Faults) {
	l := loader{config: Default(), origin: map[string]string{}, name: file, data: data}
	if faults := record.Decode(file, data, &l.config); faults != nil {
		return Config{}, faults
	}
	for _, p := range l.config.problems() {
		l.fault(p.key, p.text)
	}
	if l.faults != nil {
		return Config{}, l.faults
	}
	return l.config, nil
}

type loader struct {
	Sources
	keys   []key
	config Config
	name   string // of the file that was read
	data   []byte
	given  map[string]string // flag → value
	rest   []string
	origin map[string]string // key → variable or flag that set it
	faults wiki.Faults
}

// key is one leaf of Config.
type key struct {
	path  []string // {"limits", "page"}
	index []int    // reflect index in Config
	typ   reflect.Type
	help  string
}

// name is the key as the file and messages have it: "limits.page".
func (k key) name() string { return strings.Join(k.path, ".") }

// flag is the name of its flag: "limits-page".
func (k key) flag() string { return strings.ReplaceAll(strings.Join(k.path, "-"), "_", "-") }

// env is the name of its variable: "WIKIBOT_LIMITS_PAGE".
func (k key) env() string { return envPrefix + strings.ToUpper(strings.Join(k.path, "_")) }

func (k key) value(c *Config) reflect.Value { return reflect.ValueOf(c).Elem().FieldByIndex(k.index) }

// keys are all keys of Config in its order.
func keys() []key { return keysOf(reflect.TypeFor[Config](), nil, nil) }

func keysOf(t reflect.Type, path []string, index []int) []key {
	var list []key
	for _, f := range record.Fields(t) {
		k := key{path: append(slices.Clone(path), f.Key), index: append(slices.Clone(index), f.Index...), typ: f.Type, help: f.Tag.Get("help")}
		if f.Type.Kind() == reflect.Struct && !isText(f.Type) {
			list = append(list, keysOf(f.Type, k.path, k.index)...)
			continue
		}
		list = append(list, k)
	}
	return list
}

func isText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// fault names a key's place: the variable or flag that set it, else the file.
func (l *loader) fault(key, text string) {
	f := wiki.Fault{File: l.name, Text: text}
	if o := l.origin[key]; o != "" {
		f = wiki.Fault{Text: o + ": " + strings.TrimPrefix(text, key+": ")}
	} else if line, column, ok := record.Position(l.data, strings.Split(key, ".")); ok {
		f.Line, f.Column = line, column
	}
	l.faults = append(l.faults, f)
}

// arguments separates flags from the other arguments.
func (l *loader) arguments() error {
	l.given = map[string]string{}
	for i := 0; i < len(l.Args); i++ {
		arg := l.Args[i]
		if arg == "--" {
			l.rest = append(l.rest, l.Args[i+1:]...)
			return nil
		}
		if len(arg) < 2 || arg[0] != '-' {
			l.rest = append(l.rest, arg)
			continue
		}
		name, value, found := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
		if name == "help" || name == "h" {
			return flag.ErrHelp
		}
		own, isSwitch, err := l.known(name)
		if err != nil {
			return err
		}
		switch {
		case found:
		case isSwitch:
			value = "true"
		case i+1 == len(l.Args):
			return wiki.Invalid(name, "--%s needs a value: write --%s VALUE", name, name)
		default:
			i++
			value = l.Args[i]
		}
		if own == nil {
			l.given[name] = value
		} else if err := own.Value.Set(value); err != nil {
			return wiki.Invalid(name, "--%s: %q cannot be used: %v", name, value, err)
		}
	}
	return nil
}

// known finds a flag: one of the command's own, or a key's.
func (l *loader) known(name string) (own *flag.Flag, isSwitch bool, err error) {
	names := []string{"config"}
	if name == "config" {
		return nil, false, nil
	}
	if l.Flags != nil {
		if own = l.Flags.Lookup(name); own != nil {
			b, ok := own.Value.(interface{ IsBoolFlag() bool })
			return own, ok && b.IsBoolFlag(), nil
		}
		l.Flags.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
	}
	for _, k := range l.keys {
		if k.flag() == name {
			return nil, k.typ.Kind() == reflect.Bool, nil
		}
		names = append(names, k.flag())
	}
	return nil, false, wiki.Invalid(name, "unknown flag --%s%s; --help lists them all", name, record.DidYouMean(name, names))
}

// environment picks our variables and names those that mean nothing.
func (l *loader) environment() map[string]string {
	names := []string{envPrefix + "CONFIG"}
	for _, k := range l.keys {
		names = append(names, k.env())
	}
	vars := map[string]string{}
	for _, e := range l.Env {
		name, value, _ := strings.Cut(e, "=")
		switch {
		case !strings.HasPrefix(name, envPrefix) || value == "" || orchestrator(name, value):
		case slices.Contains(names, name):
			vars[name] = value
		default:
			l.faults = append(l.faults, wiki.Fault{Text: fmt.Sprintf("unknown environment variable %s%s; unset it, or see the head of config.toml for the names", name, record.DidYouMean(name, names))})
		}
	}
	slices.SortFunc(l.faults, func(a, b wiki.Fault) int { return strings.Compare(a.Text, b.Text) })
	return vars
}

// orchestrator is true of the variables that Kubernetes and Docker's links set
// in every container beside a service that is called wikibot or wikibot-ssh.
func orchestrator(name, value string) bool {
	for _, service := range []string{envPrefix, envPrefix + "SSH_"} {
		if strings.HasPrefix(name, service+"SERVICE_") ||
			strings.HasPrefix(name, service+"PORT") && (strings.Contains(name, "_TCP") || strings.Contains(name, "_UDP") || strings.Contains(value, "://")) ||
			name == service+"NAME" && strings.HasPrefix(value, "/") {
			return true
		}
	}
	return false
}

// file reads the config file over the defaults.
func (l *loader) file(vars map[string]string) error {
	name, named := l.given["config"]
	if !named {
		name, named = vars[envPrefix+"CONFIG"]
	}
	if name == noConfig {
		return nil
	}
	if !named || name == "" {
		name, named = defaultConfig, false
	}
	data, err := l.ReadFile(name)
	switch {
	case err != nil && errors.Is(err, os.ErrNotExist) && !named:
		return nil
	case err != nil && errors.Is(err, os.ErrNotExist):
		return wiki.Invalid("config", "the config file %s does not exist: check --config, or leave it out for the defaults", name)
	case err != nil:
		return wiki.Invalid("config", "the config file %s cannot be read: %v", name, err)
	}
	l.name, l.data = name, data
	if faults := record.Decode(name, data, &l.config); faults != nil {
		l.faults = append(l.faults, faults...)
		if !named {
			l.faults = append(l.faults, wiki.Fault{File: name, Text: "this file was read because it lies in the working folder; if it belongs to another program, name ours with --config FILE, or use --config none"})
		}
		l.config = Default()
	}
	return nil
}

// set gives a key a value that came as text.
func (l *loader) set(k key, text, origin string) {
	l.origin[k.name()] = origin
	if err := setText(k.value(&l.config), text); err != nil {
		l.faults = append(l.faults, wiki.Fault{Text: origin + ": " + err.Error()})
	}
}

func setText(v reflect.Value, text string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		v.SetBool(b)
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		v.SetInt(int64(n))
	case reflect.Slice:
		list := reflect.MakeSlice(v.Type(), 0, 4)
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part == "" {
				continue
			}
			e := reflect.New(v.Type().Elem()).Elem()
			if err := setText(e, part); err != nil {
				return err
			}
			list = reflect.Append(list, e)
		}
		v.Set(list)
	default:
		return fmt.Errorf("a key of type %s cannot be set as text", v.Type())
	}
	return nil
}

// Usage lists the flags of the configuration by section, with defaults, for
// --help; own are the command's flags, listed first, or nil.
func Usage(own *flag.FlagSet) string {
	var b strings.Builder
	line := func(name, help, value string) {
		if value != "" {
			help += " (default " + value + ")"
		}
		fmt.Fprintf(&b, "  --%-24s %s\n", name, help)
	}
	if own != nil {
		own.VisitAll(func(f *flag.Flag) { line(f.Name, f.Usage, f.DefValue) })
		b.WriteString("\n")
	}
	b.WriteString("Configuration; each is also a key of config.toml and a variable WIKIBOT_…:\n")
	line("config", "config file; \"none\" for no file", "config.toml, where it exists")
	section, c := "", Default()
	for _, k := range keys() {
		if s := k.path[0]; len(k.path) > 1 && s != section {
			section = s
			fmt.Fprintf(&b, "\n[%s]\n", s)
		}
		line(k.flag(), k.help, show(k.value(&c)))
	}
	return b.String()
}

// show is a value as setText reads it.
func show(v reflect.Value) string {
	if v.Kind() == reflect.Slice {
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = show(v.Index(i))
		}
		return strings.Join(parts, ",")
	}
	if l, ok := v.Interface().(fmt.Stringer); ok {
		return l.String()
	}
	return fmt.Sprint(v.Interface())
}
