#!/usr/bin/env bash
# Makes this machine able to build livedump.exe and to run it:
#     cargo build --target x86_64-pc-windows-gnu      with rustup's own stable compiler
#     cargo test  --target x86_64-pc-windows-gnu      through Wine 10
#
#   scripts/setup-windows-cross.sh     sets everything up, then tests itself; again: 3 s
#   . "$WINCROSS_DIR/env.sh"           afterwards: exports the cargo runner for Wine
#
# What is there already is used; what is missing comes from the nearest source:
#   linker  this machine's x86_64-w64-mingw32-gcc, else Debian's package (needs root)
#   std     this toolchain's, else `rustup target add`, else compiled from Debian's rust-src package:
#           the std source of the very same rustc release, built the way rustc's bootstrap does it and
#           put where rustup would have put the target. The version must match exactly.
#   Wine    the one set up before, else this machine's if it is 10 or later, else Debian trixie's with
#           its own libc, in a private folder. Older ones will not do: Wine 8 has no bcryptprimitives.dll
#           (Rust's std imports it) and answers NtSystemDebugControl with STATUS_NOT_IMPLEMENTED.
#   std for x86_64-pc-windows-msvc, for `cargo clippy` only: same sources as std; done without if need be.
#
# Settings: WINCROSS_DIR (default ~/.cache/wincross), WINCROSS_CHECK_TARGETS (empty: none),
# WINCROSS_STD_SUITES, WINCROSS_WINE_SUITE, WINCROSS_SKIP_WINE.
set -euo pipefail

WINCROSS_DIR=${WINCROSS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/wincross}
WINCROSS_TARGETS=${WINCROSS_TARGETS:-x86_64-pc-windows-gnu}      # space separated; i686-pc-windows-gnu builds too (this Wine cannot run it)
WINCROSS_CHECK_TARGETS=${WINCROSS_CHECK_TARGETS-x86_64-pc-windows-msvc}   # std for cargo check and clippy only: nothing to link with
WINCROSS_STD_SUITES=${WINCROSS_STD_SUITES:-"trixie-backports trixie forky sid"}
WINCROSS_WINE_SUITE=${WINCROSS_WINE_SUITE:-trixie}
WINCROSS_SKIP_WINE=${WINCROSS_SKIP_WINE:-}
RECIPE=2                                                          # raise to force a rebuild everywhere

t0=$SECONDS
say()  { printf 'wincross [%4ss] %s\n' "$((SECONDS - t0))" "$*"; }
die()  { printf 'wincross: ERROR: %s\n' "$1" >&2; shift; for l in "$@"; do printf '          %s\n' "$l" >&2; done; exit 1; }
need() { command -v "$1" >/dev/null || die "'$1' is missing" "$2"; }
quiet() { # quiet LOG CMD...: run, show the log's end only when it fails (9>&-: a wineserver must not keep the lock)
    local log=$WINCROSS_DIR/log/$1.log; shift
    "$@" >"$log" 2>&1 9>&- || { tail -n 25 "$log" >&2; die "failed: $*" "full log: $log"; }
}

need_debian() { # need_debian WHAT: what follows takes it from Debian's packages
    [ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] && command -v apt-get >/dev/null ||
        die "$1 is missing, and only on Debian amd64 can this script get it"
}
need rustc "install the Rust toolchain first"; need cargo "install the Rust toolchain first"; need flock "install util-linux"
mkdir -p "$WINCROSS_DIR"/{log,debs,bin}
WINCROSS_DIR=$(cd "$WINCROSS_DIR" && pwd -P)
exec 9>"$WINCROSS_DIR/lock"; flock -w 900 9 || die "another setup has held $WINCROSS_DIR/lock for 15 minutes"

# ---------------------------------------------------------------- 1. linker and tools from this machine's own suite
pk=()
for t in $WINCROSS_TARGETS; do
    case $t in
        x86_64-pc-windows-gnu) command -v x86_64-w64-mingw32-gcc >/dev/null || pk+=(gcc-mingw-w64-x86-64-win32) ;;
        i686-pc-windows-gnu)   command -v i686-w64-mingw32-gcc   >/dev/null || pk+=(gcc-mingw-w64-i686-win32) ;;
        *) die "unsupported target $t" "supported: x86_64-pc-windows-gnu i686-pc-windows-gnu" ;;
    esac
done
install() { # install PACKAGE...
    need_debian "$*"
    [ "$(id -u)" = 0 ] || die "these packages are missing: $*" "run as root, or: sudo apt-get install --no-install-recommends $*"
    say "apt: $*"
    quiet apt-update apt-get update
    quiet apt-install env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}
[ ${#pk[@]} = 0 ] || install "${pk[@]}"

# ---------------------------------------------------------------- 2. a private apt view of later Debian suites, same mirror, same keys
SUITES_KEY="$WINCROSS_STD_SUITES $WINCROSS_WINE_SUITE"
side_apt() {
    [ -n "${side_apt_done:-}" ] && return; side_apt_done=1
    need_debian "a Debian archive"
    local a=$WINCROSS_DIR/apt uri
    uri=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
          awk '$1=="Debian" && $2 !~ /-security$/ && $2 !~ /-updates$/ {print $3; exit}')
    if [ -z "$uri" ]; then # no index yet on a new machine
        [ "$(id -u)" = 0 ] && quiet apt-update apt-get update
        uri=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
              awk '$1=="Debian" && $2 !~ /-security$/ && $2 !~ /-updates$/ {print $3; exit}')
    fi
    [ -n "$uri" ] || die "found no Debian archive among this machine's apt sources" "see: apt-get indextargets"
    mkdir -p "$a"/{lists/partial,cache/archives/partial,empty.d}; : >"$a/status"; : >"$a/sources.list"
    for s in $(printf '%s\n' $SUITES_KEY | awk '!x[$0]++'); do
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $s main" >>"$a/sources.list"
    done
    cat >"$a/apt.conf" <<APT
Dir::Etc::sourcelist "$a/sources.list";
Dir::Etc::sourceparts "$a/empty.d";
Dir::Etc::preferencesparts "$a/empty.d";
Dir::State::lists "$a/lists";
Dir::State::status "$a/status";
Dir::Cache "$a/cache";
APT::Sandbox::User "root";
APT::Default-Release "";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
APT
    say "apt: reading the package lists of: $(printf '%s\n' $SUITES_KEY | awk '!x[$0]++' | tr '\n' ' ')"
    quiet apt-side env APT_CONFIG="$a/apt.conf" apt-get update
    grep -qE '^(E|Err)' "$WINCROSS_DIR/log/apt-side.log" && die "apt could not read a suite" "see $WINCROSS_DIR/log/apt-side.log" || true
}
side() { APT_CONFIG=$WINCROSS_DIR/apt/apt.conf "$@"; }
fetch_deb() { # fetch_deb PKG[=VER|/SUITE] -> path on stdout
    local d=$WINCROSS_DIR/debs/$(printf %s "$1" | tr -c 'A-Za-z0-9.+\n-' _)
    if ! ls "$d"/*.deb >/dev/null 2>&1; then
        rm -rf "$d.new"; mkdir -p "$d.new"
        (cd "$d.new" && side apt-get download "$1") >"$WINCROSS_DIR/log/download.log" 2>&1 ||
            { tail -n 8 "$WINCROSS_DIR/log/download.log" >&2; die "could not download Debian package '$1'"; }
        rm -rf "$d"; mv "$d.new" "$d"
    fi
    ls "$d"/*.deb
}

# ---------------------------------------------------------------- 3. std for the Windows targets
# First choice: this rustc, with Debian's rust-src of the same release, put into its own sysroot.
# Second choice, when Debian has no rust-src of this release (any more): Debian's rustc-web and
# rust-web-src, which are always one release, unpacked beside it; env.sh then exports RUSTC.
RUSTC_BIN=rustc SRC_PKG= SRC_VER=
use_rustc() { # use_rustc PATH
    RUSTC_BIN=$1; RUSTC_V=$("$1" -vV | sed -n 's/^release: //p'); RUSTC_H=$("$1" -vV | sed -n 's/^commit-hash: //p')
    SYSROOT=$("$1" --print sysroot)
}
use_rustc rustc
[ -x "$WINCROSS_DIR/rustc-web/rustc" ] && [ "$(cat "$WINCROSS_DIR/rustc-web/instead-of" 2>/dev/null)" = "$RUSTC_V" ] &&
    use_rustc "$WINCROSS_DIR/rustc-web/rustc"
fetch_own() { # fetch_own PKG: like fetch_deb, from this machine's own suites
    local d=$WINCROSS_DIR/debs/own-$1
    ls "$d"/*.deb >/dev/null 2>&1 || { rm -rf "$d"; mkdir -p "$d"; (cd "$d" && apt-get -o APT::Sandbox::User=root download "$1") >"$WINCROSS_DIR/log/download.log" 2>&1 || return 1; }
    ls "$d"/*.deb
}
find_src() {
    [ -n "$SRC_PKG" ] && return
    side_apt
    SRC_VER=$(side apt-cache madison rust-src | awk -F'|' -v v="$RUSTC_V" '{gsub(/ /,"",$2)} index($2, v "+")==1 {print $2; exit}')
    [ -n "$SRC_VER" ] && { SRC_PKG=rust-src; return; }
    local want=$RUSTC_V has p llvm std w=$WINCROSS_DIR/rustc-web
    has=$(side apt-cache madison rust-src | awk -F'|' '{gsub(/ /,"",$2); if(!x[$2]++) printf "%s ", $2}')
    say "Debian has no rust-src $want (it has: $has); trying its rustc-web"
    SRC_VER=$(apt-cache madison rust-web-src | awk -F'|' '{gsub(/ /,"",$2); print $2; exit}')
    std=$(apt-cache depends rust-web-src libstd-rust-web-dev 2>/dev/null | sed -n 's/.*Depends: \(libstd-rust-web-[0-9].*\)/\1/p' | head -1)
    llvm=$(apt-cache depends "${std:-none}" 2>/dev/null | sed -n 's/.*Depends: \(libllvm.*\)/\1/p' | head -1)
    [ -n "$SRC_VER" ] && [ -n "$std" ] && [ -n "$llvm" ] ||
        die "no source of std for rustc $want, and no rustc-web either" "looked for rust-src in: $WINCROSS_STD_SUITES; it has: $has" \
            "ways out: a rustup toolchain of one of those releases, or another suite in WINCROSS_STD_SUITES"
    rm -rf "$w"; mkdir -p "$w"
    for p in rustc-web libstd-rust-web-dev "$std" "$llvm" libz3-4 libedit2 libbsd0; do
        case $p in libz3-4|libedit2|libbsd0) ldconfig -p | grep -q "${p%-*}" && continue ;; esac
        p=$(fetch_own "$p") || die "could not download a package of rustc-web" "see $WINCROSS_DIR/log/download.log"
        dpkg-deb -x "$p" "$w"
    done
    cat >"$w/rustc" <<SH
#!/bin/sh
LD_LIBRARY_PATH="$w/usr/lib/x86_64-linux-gnu:$w/usr/lib/${llvm/libllvm/llvm-}/lib\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}" exec "$w/usr/bin/rustc" "\$@"
SH
    chmod +x "$w/rustc"; "$w/rustc" -vV >/dev/null || die "the unpacked rustc-web does not start" "try: $w/rustc -vV"
    echo "$want" >"$w/instead-of"; SRC_PKG=rust-web-src; use_rustc "$w/rustc"
    case $SRC_VER in "$RUSTC_V"+*) ;; *) die "rustc-web is $RUSTC_V but rust-web-src is $SRC_VER" ;; esac
    say "using Debian's rustc-web $RUSTC_V for Windows builds"
}
from_rustup() { # from_rustup TARGET: quick where its servers can be reached, and no error where they cannot
    command -v rustup >/dev/null || return 1
    say "std for $1: asking rustup"
    RUSTUP_MAX_RETRIES=0 timeout -k 5 90 rustup target add "$1" >"$WINCROSS_DIR/log/rustup-$1.log" 2>&1 9>&-
}
build_std() { # build_std TARGET
    local target=$1 stamp dst
    is_there() {
        dst=$SYSROOT/lib/rustlib/$target/lib; stamp="recipe=$RECIPE rustc=$RUSTC_V $RUSTC_H"
        if [ -e "$dst/.wincross" ]; then [ "$(cat "$dst/.wincross")" = "$stamp" ]; else ls "$dst"/libstd-*.rlib >/dev/null 2>&1; fi
    }
    is_there && { say "std for $target (rustc $RUSTC_V): already there"; return; }
    if [ "$RUSTC_BIN" = rustc ] && from_rustup "$target" && is_there; then say "std for $target: added by rustup"; return; fi
    find_src; is_there && return
    say "std for $target: unpacking $SRC_PKG $SRC_VER"
    local deb src=$WINCROSS_DIR/std-src
    if [ $SRC_PKG = rust-src ]; then deb=$(fetch_deb "rust-src=$SRC_VER"); else deb=$(fetch_own rust-web-src); fi ||
        die "could not download $SRC_PKG"
    rm -rf "$src"; mkdir -p "$src"
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$src" --strip-components=5 --wildcards './usr/src/rustc-*/library/*'
    [ -e "$src/sysroot/Cargo.toml" ] || die "$SRC_PKG $SRC_VER is not laid out as expected" "see $src"
    # only the rlib is wanted: the dylib would mean linking std.dll
    sed -i 's/^crate-type = \["dylib", "rlib"\]/crate-type = ["rlib"]/' "$src/std/Cargo.toml"
    say "std for $target: compiling (one to two minutes)"
    # As rustc's bootstrap does: its own lock file (--locked: registry checksums), its 'dist' profile.
    # Run outside the project, so that no .cargo/config.toml of the project leaks in.
    # The remapping gives std the paths that the official builds have, and keeps this machine's out of the .exe.
    local flags; flags=$(printf '%s\037%s\037%s' -Zforce-unstable-if-unmarked "--remap-path-prefix=$src=/rustc/$RUSTC_H/library" \
        "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=/rust/deps")
    ( cd "$src" && unset RUSTFLAGS CARGO_BUILD_TARGET CARGO_BUILD_RUSTFLAGS RUSTC_WRAPPER CARGO_BUILD_RUSTC_WRAPPER &&
      export RUSTC="$RUSTC_BIN" RUSTC_BOOTSTRAP=1 __CARGO_DEFAULT_LIB_METADATA=stablestd CARGO_INCREMENTAL=0 \
             CARGO_TARGET_DIR="$WINCROSS_DIR/std-target" CARGO_ENCODED_RUSTFLAGS="$flags" &&
      quiet "std-$target" cargo build --locked --profile dist --manifest-path sysroot/Cargo.toml \
            --target "$target" --features "backtrace panic-unwind" )
    rm -rf "$dst.new"; mkdir -p "$dst.new"
    cp "$WINCROSS_DIR/std-target/$target/dist/deps/"*.rlib "$dst.new/"
    for o in rsbegin rsend; do # start-up objects that the GNU target's link line names
        case $target in *-msvc) continue ;; esac
        RUSTC_BOOTSTRAP=1 quiet "$o-$target" "$RUSTC_BIN" --target "$target" --emit=obj -o "$dst.new/$o.o" "$src/rtstartup/$o.rs"
    done
    echo "$stamp" >"$dst.new/.wincross"
    rm -rf "$dst"; mv "$dst.new" "$dst"; rm -rf "$WINCROSS_DIR/std-target" "$src"
    say "std for $target: installed ($(du -sm "$dst" | cut -f1) MB)"
}
for t in $WINCROSS_TARGETS; do build_std "$t"; done
# Not worth a failure: what uses it says so when it is missing. In a subshell, as die ends the shell.
for t in $WINCROSS_CHECK_TARGETS; do
    set +e; (set -e; build_std "$t"); rc=$?; set -e   # not "|| say": that would switch -e off inside
    [ $rc = 0 ] || say "std for $t: not available, cargo check and clippy for it will be left out"
done
[ "$RUSTC_BIN" = rustc ] || export RUSTC="$RUSTC_BIN"

# ---------------------------------------------------------------- 4. Wine 10: what is there, else Debian's with its own libc in one private folder
W=$WINCROSS_DIR/wine
find_wine() { # sets WINE, WINESERVER, WINE_STAMP
    WINE=$W/usr/lib/wine/wine64 WINESERVER=$W/usr/lib/wine/wineserver WINE_STAMP="recipe=$RECIPE suite=$WINCROSS_WINE_SUITE dir=$W"
    [ "$(cat "$W/.wincross" 2>/dev/null)" = "$WINE_STAMP" ] && { say "wine: already there"; return; }
    local own version major
    for own in wine64 wine; do
        own=$(command -v $own) || continue
        version=$("$own" --version 2>/dev/null) || continue
        major=${version#wine-}; major=${major%%[!0-9]*}
        [ "${major:-0}" -ge 10 ] && command -v wineserver >/dev/null || continue
        WINE=$own WINESERVER=$(command -v wineserver) WINE_STAMP="recipe=$RECIPE own=$own $version"
        say "wine: this machine's own $version"; return
    done
    install_wine
}
install_wine() {
    command -v patchelf >/dev/null || install patchelf
    side_apt
    say "wine: downloading from $WINCROSS_WINE_SUITE"
    local n=$W.new L p u; rm -rf "$n" "$WINCROSS_DIR/prefix"; mkdir -p "$n"
    for p in libwine wine64 libc6 libgcc-s1 libunwind8 liblzma5 libz-mingw-w64; do
        dpkg-deb -x "$(fetch_deb "$p/$WINCROSS_WINE_SUITE")" "$n"
    done
    rm -rf "$n/usr/share/doc" "$n/etc" "$n/usr/share/man"
    u=$n/usr/lib/x86_64-linux-gnu/wine/x86_64-windows
    [ -d "$u" ] || die "libwine of $WINCROSS_WINE_SUITE is not laid out as expected"
    # what libwine's postinst does: zlib1.dll with Wine's 'builtin' mark
    { head -c 64 "$n/usr/x86_64-w64-mingw32/lib/zlib1.dll"; printf 'Wine builtin DLL'; head -c 16 /dev/zero
      tail -c +97 "$n/usr/x86_64-w64-mingw32/lib/zlib1.dll"; } >"$u/zlib1.dll"
    # Debian's wineserver is a script with an absolute path
    ln -sfn wineserver64 "$n/usr/lib/wine/wineserver"
    # wineserver looks for its tables in share/wine/wine/nls beside itself, else in the system's /usr/share
    ln -sfn . "$n/usr/share/wine/wine"
    # debug info is two thirds of the size, and every prefix gets a copy of each DLL
    find "$u" -type f \( -name '*.dll' -o -name '*.exe' -o -name '*.drv' -o -name '*.sys' -o -name '*.ocx' \) ! -name zlib1.dll -print0 |
        xargs -0 -P2 -n40 x86_64-w64-mingw32-strip -g 2>/dev/null || true
    rm -rf "$W"; mv "$n" "$W"
    L=$W/usr/lib/x86_64-linux-gnu   # final place: patchelf writes absolute paths
    for p in wine64 wineserver64; do
        quiet patchelf patchelf --set-interpreter "$L/ld-linux-x86-64.so.2" --force-rpath --set-rpath "$L" "$W/usr/lib/wine/$p"
    done
    "$W/usr/lib/wine/wine64" --version >/dev/null || die "the unpacked Wine does not start" "try: $W/usr/lib/wine/wine64 --version"
    echo "$WINE_STAMP" >"$W/.wincross"
    say "wine: $("$W/usr/lib/wine/wine64" --version) ($(du -sm "$W" | cut -f1) MB)"
}
write_wrappers() {
    cat >"$WINCROSS_DIR/bin/wine-run" <<SH
#!/bin/sh
# cargo/nextest runner: wine-run PROGRAM.exe ARGS...
export WINEPREFIX="\${WINEPREFIX:-$WINCROSS_DIR/prefix}" WINEDEBUG="\${WINEDEBUG:--all}"
export WINEDLLOVERRIDES="\${WINEDLLOVERRIDES:-mscoree,mshtml,winemenubuilder.exe=}"
unset DISPLAY WAYLAND_DISPLAY WINESERVER WINELOADER WINEARCH
exec "$WINE" "\$@"
SH
    chmod +x "$WINCROSS_DIR/bin/wine-run"
    cat >"$WINCROSS_DIR/env.sh" <<SH
export WINCROSS_DIR="$WINCROSS_DIR"
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER="$WINCROSS_DIR/bin/wine-run"
$([ "$RUSTC_BIN" = rustc ] || echo "export RUSTC='$RUSTC_BIN'")
wincross_stop() { WINEPREFIX="\${WINEPREFIX:-$WINCROSS_DIR/prefix}" "$WINESERVER" -k; }
SH
    ln -sfn "$WINESERVER" "$WINCROSS_DIR/bin/wineserver"
}
make_prefix() {
    export WINEPREFIX=$WINCROSS_DIR/prefix
    [ "$(cat "$WINEPREFIX/.wincross" 2>/dev/null)" = "$WINE_STAMP" ] && { say "wine prefix: already there"; return; }
    say "wine prefix: creating"
    [ -e "$WINEPREFIX" ] && { "$WINESERVER" -k 2>/dev/null || true; rm -rf "$WINEPREFIX"; }
    quiet wineboot timeout -k 5 180 "$WINCROSS_DIR/bin/wine-run" wineboot -i
    timeout -k 5 60 "$WINESERVER" -w 9>&- || "$WINESERVER" -k || true
    [ -e "$WINEPREFIX/drive_c/windows/system32/kernel32.dll" ] && [ -s "$WINEPREFIX/system.reg" ] ||
        die "wineboot made no usable prefix" "see $WINCROSS_DIR/log/wineboot.log"
    echo "$WINE_STAMP" >"$WINEPREFIX/.wincross"
    say "wine prefix: done ($(du -sm "$WINEPREFIX" | cut -f1) MB)"
}
if [ -z "$WINCROSS_SKIP_WINE" ]; then find_wine; write_wrappers; make_prefix; fi

# ---------------------------------------------------------------- 5. self-test: build a program and run it
smoke() {
    local d=$WINCROSS_DIR/smoke out rc=0; rm -rf "$d"; mkdir -p "$d/src"
    printf '[package]\nname = "smoke"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n[profile.release]\nlto = "thin"\nstrip = true\n' >"$d/Cargo.toml"
    cat >"$d/src/main.rs" <<'RS'
fn main() {
    let mut m = std::collections::HashMap::new();
    m.insert("os", std::env::consts::OS);
    let caught = std::panic::catch_unwind(|| { if m.len() == 1 { panic!() } }).is_err();
    let t = std::thread::spawn(|| 40 + 2).join().unwrap();
    println!("smoke {} {} {} {:?}", m["os"], caught, t, std::env::args().nth(1));
    std::process::exit(7);
}
RS
    (cd "$d" && quiet smoke-build cargo build --release --target x86_64-pc-windows-gnu --target-dir "$d/target")
    local exe=$d/target/x86_64-pc-windows-gnu/release/smoke.exe dll
    dll=$(x86_64-w64-mingw32-objdump -p "$exe" | sed -n 's/.*DLL Name: //p' | grep -iE 'libgcc|winpthread|libstdc|^std-' || true)
    [ -z "$dll" ] || die "the exe is not self-contained, it imports: $dll"
    [ -n "$WINCROSS_SKIP_WINE" ] && { say "self-test: built $exe"; return; }
    out=$(timeout -k 5 60 "$WINCROSS_DIR/bin/wine-run" "$exe" 'a b' 2>"$WINCROSS_DIR/log/smoke-run.log" 9>&-) || rc=$?
    [ "$rc" = 7 ] && [ "$(printf %s "$out" | tr -d '\r')" = 'smoke windows true 42 Some("a b")' ] ||
        die "self-test ran wrong under Wine: exit $rc, output '$out'" "see $WINCROSS_DIR/log/smoke-run.log"
    rm -rf "$d"; say "self-test: a Windows program was built and ran under Wine"
}
case " $WINCROSS_TARGETS " in *" x86_64-pc-windows-gnu "*) smoke ;; esac
say "ready: . $WINCROSS_DIR/env.sh && cargo test --target x86_64-pc-windows-gnu"
