// Splits a range over threads that live for one call: nothing to shut down, nothing for fork() to break.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "engine/base/errors.hpp"

namespace lookalike {

// Called now and then on the calling thread; it throws to stop the work (the bindings look for Ctrl-C).
using Interrupt = std::function<void()>;

inline unsigned thread_count(int asked) {
  return asked > 0 ? static_cast<unsigned>(asked) : std::max(1U, std::thread::hardware_concurrency());
}

/// Address space that nobody else can take meanwhile.
class ReservedSpace {
 public:
  ReservedSpace()
      : memory_(mmap(nullptr, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
    if (memory_ == MAP_FAILED) throw std::bad_alloc();
  }
  ReservedSpace(ReservedSpace&& other) noexcept : memory_(std::exchange(other.memory_, MAP_FAILED)) {}
  ReservedSpace(const ReservedSpace&) = delete;
  ReservedSpace& operator=(const ReservedSpace&) = delete;
  ReservedSpace& operator=(ReservedSpace&&) = delete;
  ~ReservedSpace() { release(); }

  void release() {
    if (void* memory = std::exchange(memory_, MAP_FAILED); memory != MAP_FAILED) munmap(memory, kBytes);
  }

 private:
  static constexpr std::size_t kBytes = std::size_t{8} << 20;

  void* memory_;
};

// Throws bad_alloc or system_error where there is no thread to be had. Room for what the thread needs to
// throw is kept for it, whatever other threads take before it runs.
template <class Work>
std::thread start_thread(Work work) {
  return std::thread([reserved = ReservedSpace(), work = std::move(work)]() mutable {
    reserved.release();
    prepare_to_throw();
    work();
  });
}

/// How large pieces of n may be for every thread to get some; at most `most`.
inline std::size_t piece_of(std::size_t n, std::size_t most, int threads) {
  return std::clamp<std::size_t>(n / (std::size_t{2} * thread_count(threads)), 1, most);
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
    while (others.size() + 1 < wanted) others.push_back(start_thread([&work] { work(false); }));
  } catch (const std::exception&) {
    // No more threads to be had, or no memory for one: those that started, and this one, do the work.
  }
  work(true);
  for (auto& thread : others) thread.join();
  if (first_error) std::rethrow_exception(first_error);
}

}  // namespace lookalike
