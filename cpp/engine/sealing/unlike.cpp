#include "engine/sealing/unlike.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/base/vectors.hpp"
#include "engine/tuning.hpp"

namespace lookalike {

Unlike::Unlike(const QueryBlock& rows, std::size_t each, const RowForm& form, std::uint64_t seed)
    : rows_(rows), form_(form), random_(seed), mean_(form.dim), spread_(form.dim) {
  describe();
  vectors_.reserve(kinds * each * form_.dim);
  for (int kind = 0; kind < kinds; ++kind)
    for (std::size_t i = 0; i < each; ++i) {
      const auto row = static_cast<std::uint32_t>(random_.bits() % rows_.count);
      const auto other = static_cast<std::uint32_t>(random_.bits() % rows_.count);
      if (form_.store == Store::bits)
        add_bits(static_cast<Kind>(kind), row, other);
      else
        add(make(static_cast<Kind>(kind), row, other));
      std::vector<std::uint32_t>& made_of = made_of_.emplace_back();
      if (kind != gaussian && kind != any_direction) made_of.push_back(row);
      if (kind == midpoint && other != row) made_of.push_back(other);
    }
}

void Unlike::describe() {
  const auto count = static_cast<double>(rows_.count);
  for (std::size_t row = 0; row < rows_.count; ++row)
    for (std::size_t i = 0; i < form_.dim; ++i) mean_[i] += value(row, i) / count;
  for (std::size_t row = 0; row < rows_.count; ++row)
    for (std::size_t i = 0; i < form_.dim; ++i) spread_[i] += std::pow(value(row, i) - mean_[i], 2) / count;
  for (double& square : spread_) square = std::sqrt(square);
}

std::vector<double> Unlike::make(Kind kind, std::uint32_t row, std::uint32_t other) {
  std::vector<double> made(form_.dim);
  std::size_t largest = 0;
  double far = 0.0, length = 0.0;  // squared: of the row from the mean, and of what is made
  for (std::size_t i = 0; i < form_.dim; ++i) {
    const double here = value(row, i);
    switch (kind) {
      case midpoint:
        made[i] = (here + value(other, i)) / 2;
        break;
      case with_noise:
        made[i] = here + spread_[i] * random_.gaussian();
        break;
      case gaussian:
        made[i] = mean_[i] + spread_[i] * random_.gaussian();
        break;
      case any_direction:
        made[i] = random_.gaussian();
        break;
      default:
        made[i] = random_.uniform() < tuning::kShareMade ? here : 0.0;
    }
    if (std::abs(here) > std::abs(value(row, largest))) largest = i;
    far += std::pow(here - mean_[i], 2);
    length += std::pow(made[i], 2);
  }
  if (kind == any_direction)
    for (std::size_t i = 0; i < form_.dim; ++i)
      made[i] = mean_[i] + std::sqrt(far / std::max(length, 1e-30)) * made[i];
  if (kind == some_coordinates) made[largest] = value(row, largest);
  return made;
}

// No longer than a query may be, and nothing without a direction where that counts.
void Unlike::add(const std::vector<double>& made) {
  constexpr double kLongest = 2.9e18;
  double square = 0.0;
  for (const double one : made) square += one * one;
  const double scale = std::min(1.0, kLongest / std::max(std::sqrt(square), 1e-30));
  for (const double one : made) vectors_.push_back(static_cast<float>(scale * one));
  const auto last = [&] { return vectors_.data() + vectors_.size() - form_.dim; };
  if (form_.metric == Metric::cosine && squared_norm(last(), form_.dim) < kSmallestSquare)
    for (std::size_t i = 0; i < form_.dim; ++i) last()[i] = static_cast<float>(value(0, i));
  scales_.push_back(form_.normed() ? inverse_norm(last(), form_.dim) : 1.0F);
}

void Unlike::add_bits(Kind kind, std::uint32_t row, std::uint32_t other) {
  const std::size_t bytes = form_.bytes();
  double set = 0.0;
  for (std::size_t i = 0; i < bytes; ++i)
    set += std::popcount(std::to_integer<unsigned>(rows_.bits[row * bytes + i]));
  const double share_set = set / static_cast<double>(8 * bytes);
  for (std::size_t i = 0; i < bytes; ++i) {
    const auto byte_of = [&](std::size_t of) {
      return std::to_integer<unsigned>(rows_.bits[of * bytes + i]);
    };
    unsigned tenth = 0, often = 0, any = 0;
    for (unsigned bit = 0; bit < 8; ++bit) {
      if (random_.uniform() < tuning::kShareMade) tenth |= 1U << bit;
      if (byte_of(random_.bits() % rows_.count) >> bit & 1) often |= 1U << bit;
      if (random_.uniform() < share_set) any |= 1U << bit;
    }
    const auto either = static_cast<unsigned>(random_.bits() & 0xFF);
    const unsigned here = byte_of(row);
    const unsigned made = kind == midpoint        ? (here & either) | (byte_of(other) & ~either)
                          : kind == with_noise    ? here ^ tenth
                          : kind == gaussian      ? often
                          : kind == any_direction ? any
                                                  : here & tenth;
    bits_.push_back(static_cast<std::byte>(made));
  }
  vectors_.resize(vectors_.size() + form_.dim);
  form_.decode(bits_.data() + bits_.size() - bytes, vectors_.data() + vectors_.size() - form_.dim);
  scales_.push_back(1.0F);
}

}  // namespace lookalike
