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
  Tally(std::size_t probe_steps, std::size_t rerank_steps)
      : probe_steps_(probe_steps),
        rerank_steps_(rerank_steps),
        counts_(kMeasuredAt.size() * probe_steps * rerank_steps) {}

  /// A query's neighbours, nearest first: by which step of the probes each is met, and how many entries are
  /// estimated nearer by step p: rank[p · neighbours + j].
  void add(std::span<const std::uint32_t> step, std::span<const std::uint32_t> rank,
           std::span<const std::uint32_t> rerank_grid) {
    ++samples_;
    for (std::size_t p = 0; p < probe_steps_; ++p)
      for (std::size_t j = 0; j < step.size(); ++j) {
        if (step[j] > p) continue;
        const std::uint32_t needed = rank[p * step.size() + j] + 1;
        const auto r = static_cast<std::size_t>(
            std::lower_bound(rerank_grid.begin(), rerank_grid.end(), needed) - rerank_grid.begin());
        if (r == rerank_steps_) continue;
        for (std::size_t level = 0; level < kMeasuredAt.size(); ++level)
          if (j < kMeasuredAt[level]) ++counts_[(level * probe_steps_ + p) * rerank_steps_ + r];
      }
  }

  void add(const Tally& other) {
    samples_ += other.samples_;
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  }

  Array<float> recalls(std::size_t neighbours) const {
    Array<float> recalls;
    recalls.reserve(counts_.size());
    for (std::size_t level = 0; level < kMeasuredAt.size(); ++level) {
      const auto asked = static_cast<double>(samples_ * std::min(kMeasuredAt[level], neighbours));
      for (std::size_t p = 0; p < probe_steps_; ++p) {
        double met = 0;
        for (std::size_t r = 0; r < rerank_steps_; ++r) {
          met += counts_[(level * probe_steps_ + p) * rerank_steps_ + r];
          recalls.push_back(static_cast<float>(less_its_error(met / asked, static_cast<double>(samples_))));
        }
      }
    }
    return recalls;
  }

 private:
  std::size_t probe_steps_;
  std::size_t rerank_steps_;
  std::size_t samples_ = 0;
  std::vector<std::uint32_t> counts_;
};

}  // namespace lookalike
