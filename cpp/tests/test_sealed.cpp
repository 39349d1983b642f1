#include "check.hpp"
#include "engine/sealed.hpp"

using namespace lookalike;

TEST(about_eight_rows_share_a_bucket) {
  CHECK(Sealed::bits_for(4096, 8) == 9);
  CHECK(Sealed::bits_for(100'000, 8) == 14);
  CHECK(Sealed::bits_for(2, 1) == 1);
}

// What `allows` refuses, opening the saved file would refuse too.
TEST(the_bits_chosen_are_allowed_for_any_number_of_rows_and_tables) {
  for (std::uint32_t tables = 1; tables <= Hyperplanes::kMaxTables; ++tables)
    for (std::size_t rows = 2; rows < std::size_t{1} << 32; rows *= 2)
      CHECK(Sealed::allows(tables, Sealed::bits_for(rows, tables)), tables, rows);
}
