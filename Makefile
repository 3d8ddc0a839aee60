# make migrate SRC=disk.vmdk DST=disk.vhd TO=hyperv   build release and do the main job
# make migrate                                        the same on the small guest in Examples/
# make test                                           everything that CI runs
# make bench                                          throughput against qemu-img, as ratios
# make build                                          the release binary, .build/release/diskgraft
# make docs                                           the library's documentation, .build/docs/DiskGraft.doccarchive

SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: migrate test bench build docs setup setup-test setup-bench lint clean

SWIFT ?= swift
# One file without shared libraries: it starts in half the time and runs in an empty container. Symbols would double it.
BUILD := $(SWIFT) build -c release --static-swift-stdlib -Xswiftc -static-executable -Xlinker -s --product diskgraft
BINARY := .build/release/diskgraft

TO ?= hyperv

setup:
	@scripts/setup.sh build

setup-test:
	@scripts/setup.sh build test

setup-bench:
	@scripts/setup.sh build test bench

build: setup
	$(BUILD)

migrate: build
ifdef SRC
	@test -n "$(DST)" || { echo "say where to: make migrate SRC=disk.vmdk DST=disk.vhd TO=hyperv" >&2; exit 64; }
	$(BINARY) migrate -p $(SRC) "$(DST)" --to $(TO)
else
	@scripts/example-migration.sh $(BINARY) $(TO)
endif

lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests Examples Benchmarks
	SWIFT=$(SWIFT) scripts/lint-house.py
	SWIFT=$(SWIFT) scripts/lint-house.py --prove

test: setup-test lint
	$(SWIFT) build --build-tests
	$(SWIFT) build --package-path Examples/PatchInFiveLines
	SWIFT=$(SWIFT) scripts/docs.sh
	SWIFT=$(SWIFT) scripts/run-tests.sh

docs: setup
	@SWIFT=$(SWIFT) scripts/docs.sh

bench: setup-bench build
	@scripts/bench.sh $(BINARY)

clean:
	rm -rf .build Benchmarks/.build Examples/PatchInFiveLines/.build
