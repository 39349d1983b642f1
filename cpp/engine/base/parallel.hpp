// Splits a range over threads that live for one call: nothing to shut down, nothing for fork() to break.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace lookalike {

// Called now and then on the calling thread; it throws to stop the work (the bindings look for Ctrl-C).
using Interrupt = std::function<void()>;

inline unsigned thread_count(int asked) {
  return asked > 0 ? static_cast<unsigned>(asked) : std::max(1U, std::thread::hardware_concurrency());
}

// Calls body(begin, end) for pieces of at most `grain` that together are [0, n). The first exception of any
// thread stops the others at their next piece and is thrown here.
template <class Body>
void parallel_for(std::size_t n, std::size_t grain, int threads, const Interrupt& interrupt, Body body) {
  const std::size_t pieces = (n + grain - 1) / grain;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stop{false};
  std::exception_ptr first_error;
  std::mutex error_mutex;

  auto work = [&](bool is_caller) {
    try {
      for (std::size_t piece = next++; piece < pieces && !stop; piece = next++) {
        body(piece * grain, std::min(n, (piece + 1) * grain));
        if (is_caller && interrupt) interrupt();
      }
    } catch (...) {
      stop = true;
      const std::scoped_lock lock(error_mutex);
      if (!first_error) first_error = std::current_exception();
    }
  };

  // One piece takes no thread, and counting the cores takes longer than a search among a hundred rows.
  const std::size_t wanted = pieces > 1 ? std::min<std::size_t>(thread_count(threads), pieces) : 1;
  std::vector<std::thread> others;
  others.reserve(wanted - 1);
  try {
    while (others.size() + 1 < wanted) others.emplace_back(work, false);
  } catch (const std::exception&) {
    // No more threads to be had, or no memory for one: those that started, and this one, do the work.
  }
  work(true);
  for (auto& thread : others) thread.join();
  if (first_error) std::rethrow_exception(first_error);
}

}  // namespace lookalike
