#include "engine/hash/probes.hpp"

#include <algorithm>

namespace lookalike {
namespace {

bool before(const Choice& a, const Choice& b) {
  return std::tie(a.score, a.part) < std::tie(b.score, b.part);
}
bool after(const Choice& a, const Choice& b) {
  return before(b, a);
}

}  // namespace

void ProbeOrder::reset() {
  own_ = 0;
  choices_.clear();
  digits_.clear();
  tables_.clear();
  heap_.clear();
}

void ProbeOrder::add_table() {
  const auto digits = static_cast<std::uint32_t>(digits_.size());
  tables_.push_back({digits, digits, 0});
}

std::span<Choice> ProbeOrder::add_digit(std::size_t choices) {
  digits_.push_back({choices_.size(), static_cast<std::uint32_t>(choices), 0});
  ++tables_.back().end;
  choices_.resize(choices_.size() + choices);
  return std::span(choices_).last(choices);
}

std::uint32_t ProbeOrder::own_code(std::uint32_t table) const {
  std::uint32_t code = 0;
  for (std::uint32_t i = tables_[table].begin; i < tables_[table].end; ++i) {
    const Choice* choices = choices_.data() + digits_[i].begin;
    code += std::min_element(choices, choices + digits_[i].count, before)->part;
  }
  return code;
}

void ProbeOrder::start() {
  for (std::uint32_t table = 0; table < tables(); ++table) tables_[table].own_code = own_code(table);
  for (Digit& digit : digits_) {
    Choice* choices = choices_.data() + digit.begin;
    std::make_heap(choices, choices + digit.count, after);
    choice(digit, 1);
  }
  for (std::uint32_t table = 0; table < tables(); ++table) {
    const Table& of = tables_[table];
    std::sort(digits_.begin() + of.begin, digits_.begin() + of.end,
              [this](Digit a, Digit b) { return before(choice(a, 1), choice(b, 1)); });
    Step first{0.0F, table, of.own_code, 0, 1};
    change(first, digits_[of.begin], 0, 1);
    push(first);
  }
}

// The choices of a digit are put in order only as far as they are asked for.
const Choice& ProbeOrder::choice(Digit& digit, std::uint32_t i) {
  Choice* choices = choices_.data() + digit.begin;
  for (; digit.taken <= i; ++digit.taken) std::pop_heap(choices, choices + digit.count - digit.taken, after);
  return choices[digit.count - 1 - i];
}

void ProbeOrder::change(Step& step, Digit& digit, std::uint32_t from, std::uint32_t to) {
  const Choice new_one = choice(digit, to), old = choice(digit, from);
  step.score += new_one.score - old.score;
  step.code += new_one.part - old.part;
}

void ProbeOrder::push(const Step& step) {
  heap_.push_back(step);
  std::push_heap(heap_.begin(), heap_.end());
}

// "Shift" and "expand" of the paper, and the next choice of the same digit, where there are more than two:
// they reach every code exactly once, never before a cheaper one, since digits and choices ascend.
bool ProbeOrder::next(Probe& probe) {
  if (own_ < tables()) {
    probe = {own_, tables_[own_].own_code};
    ++own_;
    return true;
  }
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end());
  const Step step = heap_.back();
  heap_.pop_back();
  probe = {step.table, step.code};

  const Table& table = tables_[step.table];
  Digit& last = digits_[table.begin + step.last];
  if (step.choice + 1U < last.count) {
    Step other = step;
    ++other.choice;
    change(other, last, step.choice, other.choice);
    push(other);
  }
  if (table.begin + step.last + 1U < table.end) {
    Step more = step;
    ++more.last;
    more.choice = 1;
    change(more, digits_[table.begin + more.last], 0, 1);
    push(more);
    if (step.choice == 1) {
      change(more, last, 1, 0);
      push(more);
    }
  }
  return true;
}

}  // namespace lookalike
