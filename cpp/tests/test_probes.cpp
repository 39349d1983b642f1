#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "check.hpp"
#include "engine/probes.hpp"

using namespace lookalike;

namespace {

double score(const Probe& probe, std::uint32_t own, const float* margins, std::uint32_t bits) {
  double sum = 0;
  for (std::uint32_t bit = 0; bit < bits; ++bit)
    if (((probe.code ^ own) >> bit & 1U) != 0) sum += double{margins[bit]} * double{margins[bit]};
  return sum;
}

std::size_t count_all(ProbeOrder& order, const Hyperplanes& family) {
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
  Probe probe{};
  std::size_t count = 0;
  for (; order.next(probe); ++count) {
    CHECK(probe.table < family.tables() && probe.code < 1U << family.bits());
    CHECK(seen.emplace(probe.table, probe.code).second, "visited twice", probe.table, probe.code);
  }
  CHECK(!order.next(probe));
  return count;
}

}  // namespace

TEST(every_bucket_is_visited_once_own_ones_first_then_by_ascending_score) {
  std::mt19937 random(1);
  std::normal_distribution<float> gaussian;
  ProbeOrder order;
  for (const std::uint32_t bits : {1U, 2U, 7U})
    for (const std::uint32_t tables : {1U, 3U}) {
      const Hyperplanes family(2, tables, bits, 1);
      for (int round = 0; round < 30; ++round) {
        std::vector<float> margins(family.planes());
        for (float& margin : margins)
          margin = round % 3 == 0 ? std::round(gaussian(random)) : gaussian(random);
        order.reset(family, margins.data());
        Probe probe{};
        double last = 0;
        for (std::uint32_t i = 0; order.next(probe); ++i) {
          const float* of_table = margins.data() + std::size_t{probe.table} * bits;
          const double now = score(probe, family.code(of_table), of_table, bits);
          if (i < tables) CHECK(probe.table == i && probe.code == family.code(of_table));
          CHECK(now >= last - 1e-5 * (1 + last), bits, i, now, last);
          last = now;
        }
        order.reset(family, margins.data());
        CHECK(count_all(order, family) == std::size_t{tables} << bits);
      }
    }
}

TEST(margins_of_a_hostile_file_still_give_each_bucket_once) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const float nan = std::nanf("");
  const Hyperplanes family(2, 2, 5, 1);
  ProbeOrder order;
  for (const std::vector<float>& margins :
       {std::vector<float>(10, nan), std::vector<float>(10, kInf), std::vector<float>(10, 3e38F),
        std::vector<float>(10, 0.0F),
        std::vector<float>{nan, 1, -kInf, kInf, 0, 3e38F, -3e38F, nan, -0.0F, 1e-45F}}) {
    order.reset(family, margins.data());
    CHECK(count_all(order, family) == 64);
  }
}
