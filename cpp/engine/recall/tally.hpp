// Counting, while the recall is measured, which budgets bring how many true neighbours.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/recall/recall_curve.hpp"

namespace lookalike {

/// How many true neighbours need a step of the budget: met by so many probes, after so many candidates.
class Tally {
 public:
  Tally(std::size_t probe_steps, const GridSteps& reranks)
      : probe_steps_(probe_steps), reranks_(&reranks), counts_(kShallow * probe_steps * reranks.size()) {}

  /// A query's neighbours, nearest first: by which step of the probes each is met, and how many entries are
  /// estimated nearer by step p: rank[p · neighbours + j].
  void add(std::span<const std::uint32_t> step, std::span<const std::uint32_t> rank) {
    ++samples_;
    for (std::size_t p = 0; p < probe_steps_; ++p)
      for (std::size_t j = 0, level = 0; j < step.size(); ++j) {
        if (j == kMeasuredAt[level]) ++level;
        if (step[j] > p) continue;
        const std::size_t r = reranks_->reaching(rank[p * step.size() + j] + std::size_t{1});
        if (r < reranks_->size()) ++counts_[(level * probe_steps_ + p) * reranks_->size() + r];
      }
  }

  void add(const Tally& other) {
    samples_ += other.samples_;
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  }

  Array<float> recalls(std::size_t neighbours) const {
    Array<float> recalls;
    recalls.reserve(counts_.size());
    const std::size_t steps = probe_steps_ * reranks_->size();
    std::vector<std::uint32_t> up_to(steps);
    for (std::size_t level = 0; level < kShallow; ++level) {
      const auto asked = static_cast<double>(samples_ * std::min(kMeasuredAt[level], neighbours));
      for (std::size_t i = 0; i < steps; ++i) up_to[i] += counts_[level * steps + i];
      for (std::size_t p = 0; p < probe_steps_; ++p) {
        double met = 0;
        for (std::size_t r = 0; r < reranks_->size(); ++r) {
          met += up_to[p * reranks_->size() + r];
          recalls.push_back(static_cast<float>(less_its_error(met / asked, static_cast<double>(samples_))));
        }
      }
    }
    return recalls;
  }

 private:
  std::size_t probe_steps_;
  const GridSteps* reranks_;
  std::size_t samples_ = 0;
  std::vector<std::uint32_t> counts_;  // of the neighbours that count at a k and not at the one before
};

}  // namespace lookalike
