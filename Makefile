# The commands of this project. `make run` and `make test` set up what they need
# by themselves; Go is the one prerequisite. docs/HACKING.md has the details.

DATA   ?= ./data
LISTEN ?= 127.0.0.1:8080

.PHONY: run build assets test bench soak fmt

# Serves ./data on http://127.0.0.1:8080; the first start prints a sign-in link.
run: build
	@exec bin/wikibot serve --data $(DATA) --listen $(LISTEN)

build:
	@.ci/need go git
	@.ci/assets
	@CGO_ENABLED=0 go build -o bin/wikibot .

# The bundles that the browser loads on demand: editor, diagrams, math.
assets:
	@.ci/assets

# Everything that must hold before a change lands.
test:
	@.ci/test

# Figures beside their baseline from the same run.
bench:
	@.ci/need go git
	@.ci/bench

# 100 SIGKILLs under load; `make test` does 10.
soak:
	@.ci/need go git
	SOAK_KILLS=100 go test -count=1 -timeout 60m -run 'Soak|Crash|Kill' ./tests/...

fmt:
	@gofmt -w $$(git ls-files '*.go')
