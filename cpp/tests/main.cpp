// Runs every test, or those whose name contains the argument, or with --short all but the thorough ones; ends
// non-zero if one fails or none ran. All but the thorough ones seal with fewer queries, unless --long is
// given.

#include <chrono>
#include <cstdio>
#include <string_view>

#include "check.hpp"
#include "engine/sealing/measure.hpp"

namespace {

bool passes(const check::Test& test) {
  constexpr double kWorthTelling = 1.0;  // seconds
  const auto begin = std::chrono::steady_clock::now();
  try {
    test.body();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::printf("ok    %s", test.name);
    if (took.count() >= kWorthTelling) std::printf("  %.1f s", took.count());
    std::printf("\n");
    return true;
  } catch (const std::exception& error) {
    std::printf("FAIL  %s\n      %s\n", test.name, error.what());
    return false;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view argument = argc > 1 ? argv[1] : "";
  const bool brief = argument == "--short", in_full = argument == "--long";
  const std::string_view wanted = brief || in_full ? "" : argument;
  int ran = 0;
  int failed = 0;
  for (const check::Test& test : check::all_tests()) {
    if (std::string_view(test.name).find(wanted) == std::string_view::npos) continue;
    if (brief && test.thorough) continue;
    lookalike::fewer_queries = test.thorough || in_full ? 1 : 8;
    ++ran;
    if (!passes(test)) ++failed;
    std::fflush(stdout);
  }
  std::printf("%d tests, %d failed\n", ran, failed);
  return ran == 0 || failed > 0 ? 1 : 0;
}
