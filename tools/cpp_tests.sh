#!/bin/sh
# Builds and runs the C++ tests, warnings as errors:  tools/cpp_tests.sh [plain] [asan] [tsan] [aarch64]
#
#   plain    optimized
#   asan     under the address and undefined-behaviour sanitizers
#   tsan     under the thread sanitizer, those that start threads
#   aarch64  cross-compiled, and run by qemu, which takes ten times as long (Debian: g++-aarch64-linux-gnu qemu-user):
#            the kernels, the file format, and an index from end to end
#
# The thorough ones (THOROUGH_TEST) run in plain alone, at the fastest level; in all others sealing measures the recall
# with an eighth of the queries. LOOKALIKE_LONG=1 runs all of them in each with all queries, asan at scalar too, and
# tries far more hostile files.
#
# Without arguments: plain and asan. CXX chooses the compiler of all but aarch64. The kernels are tested at every
# level of SIMD that runs here, the rest at the fastest; in plain at scalar too. Ends non-zero at the first failure.
set -eu
cd "$(dirname "$0")/.."

build() { # name, CMake options...
    folder=build/cpp-$1
    shift
    mkdir -p build
    { cmake -S cpp/tests -B "$folder" -DLOOKALIKE_WERROR=ON "$@" &&
        cmake --build "$folder" --parallel 2; } >"$folder.log" 2>&1 || { cat "$folder.log" >&2; exit 1; }
}

# What is compiled for AVX must offer the linker nothing that code for every processor could come to use.
check_symbols() { # folder
    shared=$(find "$1" -name 'avx*.o' -exec nm -C --defined-only {} + | grep -E ' [A-Zuvw] ' |
        grep -vE ' lookalike::avx[0-9]+(_vnni)?_kernels$' || true)
    [ -z "$shared" ] || { echo "Compiled for AVX, yet visible to the linker: $shared" >&2; exit 1; }
}

short=--short
all=
[ -z "${LOOKALIKE_LONG:-}" ] || short=--long all=--long

run() { # tests: at the fastest level, and beside it at scalar
    LOOKALIKE_SIMD=scalar "$1" $short >"$folder.scalar.log" 2>&1 &
    "$1" $all
    wait $! || { cat "$folder.scalar.log" >&2; exit 1; }
    echo "at scalar: $(tail -n 1 "$folder.scalar.log")"
}

some() { # files: those tests, or all of them
    [ -n "${LOOKALIKE_LONG:-}" ] && echo '-DTESTS=test_*.cpp' || echo "-DTESTS=$1"
}

plain() {
    build plain -DCMAKE_BUILD_TYPE=Release
    check_symbols build/cpp-plain
    run build/cpp-plain/cpp_tests
}

# A hostile file of some kilobytes must not make anything ask for much memory at once.
asan() {
    build asan -DSANITIZE=address,undefined,float-cast-overflow
    export ASAN_OPTIONS=max_allocation_size_mb=64
    ${LOOKALIKE_LONG:+run} build/cpp-asan/cpp_tests $short
}

tsan() {
    build tsan -DSANITIZE=thread \
        "$(some 'test_copies.cpp;test_filter.cpp;test_hash_family.cpp;test_index*.cpp;test_parallel.cpp;test_snapshot.cpp;test_projection.cpp;test_slabs.cpp;test_spheres.cpp')"
    build/cpp-tsan/cpp_tests $short
}

aarch64() {
    build aarch64 -DCMAKE_BUILD_TYPE=Release -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
        -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ \
        "$(some 'test_*kernels.cpp;test_centre*.cpp;test_index.cpp;test_rotation.cpp;test_segment*.cpp;test_sketches.cpp;test_version_1.cpp')"
    qemu-aarch64 -L /usr/aarch64-linux-gnu build/cpp-aarch64/cpp_tests $short
}

[ $# -gt 0 ] || set -- plain asan
for mode; do
    case $mode in
    plain | asan | tsan | aarch64)
        echo "== $mode ($(date +%T))"
        "$mode"
        ;;
    *)
        echo "cpp_tests.sh: '$mode' is not one of plain, asan, tsan, aarch64" >&2
        exit 2
        ;;
    esac
done
