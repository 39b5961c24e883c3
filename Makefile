# make demo   a simulated fleet and a whole rollout; needs only Go
# make test   every check that CI runs; what can't run here is skipped, and said
# make help   the rest

# Versions of tools, all in this place. Libraries are pinned in go.mod.
GOLANGCI_LINT_VERSION := v2.15.0
GOVULNCHECK_VERSION := v1.9.0

# How long a run may fuzz: each target, and all of them together.
FUZZ_EACH := 5s
FUZZ_TOTAL := 240s

# Real hosts: "try" skips their tests where something is missing, "must" fails.
export PRLAB_HOSTS ?= try

# The race detector needs a C compiler. Without one the tests run without it, and say so.
RACE ?= $(if $(shell command -v "$$(go env CC)"),-race)

LOGS := .cache/test
TOOLS := $(CURDIR)/.cache/bin
LINTER := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)
GATE := go run ./.ci/gate
ALL := ./... ./.ci/gate ./.ci/corpus
REAL := ./pkg/lab/real

.PHONY: help build demo test check lint unit fuzz hosts matrix bench corpus vuln debs clean

help:
	@grep -E '^# make|^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -e 's/^# //' -e 's/:.*## /: /'

build: ## bin/patchring
	go build -o bin/patchring ./cmd/patchring

demo: build ## a simulated fleet and a whole rollout, on this machine alone
	bin/patchring demo

test: debs check unit fuzz hosts ## everything, then what was skipped and why
	@$(GATE) total $(LOGS)/unit.json $(LOGS)/fuzz.json $(LOGS)/hosts.json $(LOGS)/systemd.json

check: lint ## formatting, modules, vet, lint
	@unformatted=$$(gofmt -l .ci cmd pkg) && if [ -n "$$unformatted" ]; then echo "run gofmt -w on: $$unformatted"; exit 1; fi
	go mod tidy -diff
	go vet $(ALL)

lint: $(LINTER) ## golangci-lint, pinned
	$(LINTER) run $(ALL)

$(LINTER):
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	mv $(TOOLS)/golangci-lint $@

unit: ## all tests but those on real hosts, with the race detector
	@[ -n "$(RACE)" ] || echo "no C compiler: the race detector is off"
	PRLAB_HOSTS= $(GATE) test -log $(LOGS)/unit.json -except $(REAL) -- $(RACE) -shuffle=on -timeout=60m $(ALL)

fuzz: ## every fuzz target, for a short time
	$(GATE) fuzz -log $(LOGS)/fuzz.json -each $(FUZZ_EACH) -total $(FUZZ_TOTAL) -except $(REAL) -- $(ALL)

hosts: debs ## tests on real hosts: root, Debian or Ubuntu
	$(GATE) test -log $(LOGS)/hosts.json -- $(RACE) -count=1 -timeout=45m $(REAL)
	$(GATE) test -log $(LOGS)/systemd.json -- -run=RealSystemd -count=1 -timeout=5m ./pkg/job

matrix: ## the whole fault matrix (long): what is said is written into pkg/lab/matrix; look at what has changed
	MATRIX=full go test -count=1 -timeout=90m ./pkg/lab/matrix -run='^TestMatrix$$' -update

bench: ## every benchmark
	go test -run='^$$' -bench=. -benchmem ./...

corpus: ## identify recordings of real devices; skipped without them (PATCHRING_CORPORA)
	@go run ./.ci/corpus

vuln: ## known vulnerabilities in what is linked; needs the network
	go run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION) ./...

debs: ## what the tests need from Debian's packages
	@sh .ci/debs

clean: ## built things and logs; root file systems of real hosts stay cached
	rm -rf bin .cache patchring-demo
