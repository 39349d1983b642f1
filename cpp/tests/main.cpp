// Runs every test, or those whose name contains the argument, or with --short all but the thorough ones; ends
// non-zero if one fails or none ran.

#include <cstdio>
#include <string_view>

#include "check.hpp"

namespace {

bool passes(const check::Test& test) {
  try {
    test.body();
    std::printf("ok    %s\n", test.name);
    return true;
  } catch (const std::exception& error) {
    std::printf("FAIL  %s\n      %s\n", test.name, error.what());
    return false;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view argument = argc > 1 ? argv[1] : "";
  const bool brief = argument == "--short";
  const std::string_view wanted = brief ? "" : argument;
  int ran = 0;
  int failed = 0;
  for (const check::Test& test : check::all_tests()) {
    if (std::string_view(test.name).find(wanted) == std::string_view::npos) continue;
    if (brief && test.thorough) continue;
    ++ran;
    if (!passes(test)) ++failed;
    std::fflush(stdout);
  }
  std::printf("%d tests, %d failed\n", ran, failed);
  return ran == 0 || failed > 0 ? 1 : 0;
}
