# The commands of this project. `make run` and `make test` set up what they need
# by themselves; Go is the one prerequisite. docs/HACKING.md has the details.

DATA   ?= ./data
LISTEN ?= 127.0.0.1:8080
SSH    ?= auto

.PHONY: run build assets test bench eval soak fmt

# Serves ./data on http://127.0.0.1:8080, and git over SSH on port 2222 where that
# is free; the first start prints a sign-in link.
run: build
	@exec bin/wikibot serve --data $(DATA) --listen $(LISTEN) --ssh-listen $(SSH)

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

# How well search finds what people judged to be right, with floors. Other collections:
# WIKIBOT_IR_DATA=FOLDER make eval.
eval: build
	bin/wikibot eval --config none --floor lexical=0.84,0.97 --floor fused=0.843,0.985 $(WIKIBOT_DATA)/xquad-r
	@if [ -n "$(WIKIBOT_IR_DATA)" ]; then bin/wikibot eval --config none "$(WIKIBOT_IR_DATA)"; fi

# Nothing acknowledged is lost: 200 SIGKILLs under load (`make test` does 10),
# 60 s of everybody at once, every crash of a recorded disk, 200 pushes beside
# busy writers. About 45 minutes.
soak:
	@.ci/need go git strace
	SOAK_KILLS=200 SOAK_PUSHES=200 go test -count=1 -timeout 60m -v ./tests/soak
	SOAK_SECONDS=60 SOAK_PUSHES=200 go test -count=1 -timeout 60m -v -run 'Crash|Disk|Folder|Everybody|Pushes|Upkeep' ./gitstore

fmt:
	@gofmt -w $$(git ls-files '*.go')
