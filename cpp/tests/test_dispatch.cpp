#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "check.hpp"
#include "kernels/dispatch.hpp"

using namespace lookalike;

TEST(scalar_is_the_first_level_and_each_is_found_by_its_name) {
  const auto levels = available_levels();
  CHECK(!levels.empty() && levels.front() == "scalar");
  for (const auto level : levels)
    CHECK(kernels_for(level) != nullptr && kernels_for(level)->name == level, level);
}

TEST(an_empty_name_chooses_the_fastest_level) {
  CHECK(choose_kernels("").name == available_levels().back());
}

TEST(a_level_is_chosen_where_it_runs_and_refused_where_it_does_not) {
  const auto levels = available_levels();
  for (const std::string level : {"scalar", "avx2", "avx512", "avx512_vnni", "neon"}) {
    if (std::ranges::find(levels, level) != levels.end())
      CHECK(choose_kernels(level).name == level, level);
    else
      CHECK_THROWS(std::invalid_argument, "LOOKALIKE_SIMD is '" + level + "'", choose_kernels(level));
  }
}

TEST(a_refusal_lists_the_levels_that_run) {
  for (const auto level : available_levels())
    CHECK_THROWS(std::invalid_argument, std::string(level), choose_kernels("AVX2"));
  CHECK(kernels_for("AVX2") == nullptr);
}

TEST(the_process_uses_the_level_of_its_environment) {
  const char* level = std::getenv("LOOKALIKE_SIMD");
  CHECK(kernels().name == choose_kernels(level == nullptr ? "" : level).name, kernels().name);
}
