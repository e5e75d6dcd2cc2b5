# SPDX-License-Identifier: Apache-2.0
#
# Short names for what meson and tools/ do. The two to start with:
#
#     make run      installs what is missing, builds, and boots a real kernel to run one command
#     make check    installs what is missing, builds with -Werror, and runs every test
#
# B=DIR builds elsewhere than in build/, V=1 shows every command.

B ?= build
N ?= 20
PREFIX ?= /usr/local
V ?= 0
MESON_TEST_FLAGS ?=
BENCH_FLAGS ?=

ifeq ($(V),0)
Q := @
else
Q :=
NINJA_FLAGS := -v
CHECK_FLAGS := --verbose
endif

.PHONY: all build deps run check bench soak fmt install deb tarball clean help

all: build

help:
	@echo 'make run      install what is missing, build, boot a kernel and run a command in it'
	@echo 'make check    install what is missing, build with -Werror, run every lint and test'
	@echo 'make build    build only'
	@echo 'make bench    measure mayfly side by side with bare QEMU (BENCH_FLAGS=--quick: less often)'
	@echo 'make soak     N runs in one process with AddressSanitizer, every test N times (N=20)'
	@echo 'make fmt      format the C sources'
	@echo 'make install  install below PREFIX (/usr/local), honours DESTDIR'
	@echo 'make deb      build the Debian source and binary packages, in build/deb'
	@echo 'make tarball  build a .tar.gz for hosts without the libraries, in build/tarball'
	@echo 'make deps     install what is missing for all of these'
	@echo 'make clean    remove the build directory'
	@echo
	@echo 'B=DIR chooses the build directory, V=1 shows every command.'

deps:
	$(Q)tools/deps.sh check
	$(Q)! command -v apt-get >/dev/null || tools/guest-libs.sh aarch64 riscv64

$(B)/build.ninja:
	$(Q)meson setup $(B)

build: $(B)/build.ninja
	$(Q)ninja -C $(B) $(NINJA_FLAGS)

run:
	$(Q)tools/deps.sh run
	$(Q)test -e $(B)/build.ninja || meson setup $(B) >/dev/null
	$(Q)ninja -C $(B) $(or $(NINJA_FLAGS),--quiet) src/cli/mayfly
	$(Q)tools/demo.sh $(B)/src/cli/mayfly

check: deps
	$(Q)meson $(if $(wildcard $(B)/build.ninja),configure,setup) $(B) -Dwerror=true
	$(Q)ninja -C $(B) $(NINJA_FLAGS)
	$(Q)tools/check.py $(B) $(CHECK_FLAGS) -- --num-processes 2 $(MESON_TEST_FLAGS)

soak: deps build
	$(Q)[ -d $(B)-asan ] || meson setup $(B)-asan -Db_sanitize=address,undefined
	$(Q)ninja -C $(B)-asan $(NINJA_FLAGS) tests/soak/soak-runs
	$(Q)kernels=$$(tools/test-kernels.sh) && $(B)-asan/tests/soak/soak-runs $$kernels/generic/vmlinuz $(N)
	$(Q)MAYFLY_TEST_SOAK=1 tools/check.py $(B) $(CHECK_FLAGS) -- --num-processes 1 --repeat $(N) $(MESON_TEST_FLAGS)

bench: deps build
	$(Q)tests/bench/bench.py --build $(B) $(BENCH_FLAGS)

fmt:
	$(Q)find src tests -name '*.[ch]' -exec clang-format -i {} +

install: build
	$(Q)meson configure $(B) -Dprefix=$(PREFIX)
	$(Q)ninja -C $(B) $(NINJA_FLAGS)
	$(Q)meson install -C $(B) --no-rebuild

deb:
	$(Q)tools/deb.sh $(B)/deb

tarball:
	$(Q)tools/tarball.sh $(B)/tarball

clean:
	$(Q)rm -rf $(B)
