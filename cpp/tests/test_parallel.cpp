#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "check.hpp"
#include "engine/base/errors.hpp"
#include "engine/base/parallel.hpp"
#include "engine/base/work_mutex.hpp"

using namespace lookalike;

TEST(parallel_for_visits_everything_once) {
  for (const std::size_t n : {0U, 1U, 7U, 64U, 1001U})
    for (const std::size_t grain : {1U, 3U, 64U, 5000U})
      for (const int threads : {0, 1, 2, 9}) {
        std::vector<std::atomic<int>> visits(n);
        parallel_for(n, grain, threads, nullptr, [&](std::size_t begin, std::size_t end) {
          CHECK(begin < end && end <= n && end - begin <= grain);
          for (std::size_t i = begin; i < end; ++i) ++visits[i];
        });
        for (std::size_t i = 0; i < n; ++i) CHECK(visits[i] == 1, n, grain, threads, i);
      }
}

TEST(parallel_for_throws_what_any_thread_threw_and_stops) {
  for (const int threads : {1, 4}) {
    std::atomic<int> pieces{0};
    CHECK_THROWS(std::invalid_argument, "at 10",
                 parallel_for(1'000'000, 1, threads, nullptr, [&](std::size_t i, std::size_t) {
                   ++pieces;
                   if (i == 10) throw std::invalid_argument("at 10");
                 }));
    CHECK(pieces < 1'000'000);
  }
}

TEST(parallel_for_is_interrupted_on_the_calling_thread) {
  const auto caller = std::this_thread::get_id();
  std::atomic<int> pieces{0};
  const Interrupt interrupt = [&] {
    CHECK(std::this_thread::get_id() == caller);
    throw std::runtime_error("Ctrl-C");
  };
  CHECK_THROWS(std::runtime_error, "Ctrl-C",
               parallel_for(1'000'000'000, 1, 4, interrupt, [&](std::size_t, std::size_t) {
                 ++pieces;
                 std::this_thread::yield();
               }));
}

TEST(a_thread_that_has_the_turn_may_not_wait_for_it) {
  WorkMutex mutex;
  {
    const WorkMutex::Turn turn(mutex, {});
    CHECK_THROWS(BusyError, "signal handler", WorkMutex::Turn(mutex, {}));
    std::thread other([&] {
      const Interrupt give_up = [] { throw std::runtime_error("Ctrl-C"); };
      CHECK_THROWS(std::runtime_error, "Ctrl-C", WorkMutex::Turn(mutex, give_up));
    });
    other.join();
  }
  const WorkMutex::Turn turn(mutex, {});
}

TEST(work_takes_all_threads_while_somebody_waits_for_its_turn) {
  WorkMutex mutex;
  const Threads threads(3, mutex);
  CHECK(Threads(2) == 2);
  CHECK(threads == 3);
  std::atomic<bool> waits{false};
  std::thread other;
  {
    const WorkMutex::Turn turn(mutex, {});
    CHECK(threads == 3);
    other = std::thread([&] { const WorkMutex::Turn its(mutex, [&] { waits = true; }); });
    while (!waits) std::this_thread::yield();
    CHECK(threads == 0);
  }
  other.join();
  CHECK(threads == 3);
}
