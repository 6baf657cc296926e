package server

import "runtime/debug"

// Version is the program's: the module's where it was installed as one, else the
// commit that it was built from, else "unreleased".
func Version() string {
	v := "unreleased"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v = s.Value
		}
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		v = info.Main.Version
	}
	return v
}
