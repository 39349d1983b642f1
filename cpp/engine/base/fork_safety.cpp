#include "engine/base/fork_safety.hpp"

#include <mutex>
#include <new>
#include <set>

namespace lookalike {
namespace {

struct Registry {
  std::mutex mutex;
  std::set<ForkSafe*> all;
};

// Never destroyed: an index may outlive every static.
Registry& registry() {
  static auto* const made = new Registry();
  return *made;
}

}  // namespace

void ForkSafe::enroll() {
  const std::scoped_lock lock(registry().mutex);
  registry().all.insert(this);
}

void ForkSafe::withdraw() {
  const std::scoped_lock lock(registry().mutex);
  registry().all.erase(this);
}

void before_fork() {
  registry().mutex.lock();
  for (ForkSafe* each : registry().all) each->before_fork();
}

void after_fork_in_parent() {
  for (ForkSafe* each : registry().all) each->after_fork_in_parent();
  registry().mutex.unlock();
}

void after_fork_in_child() {
  for (ForkSafe* each : registry().all) each->after_fork_in_child();
  new (&registry().mutex) std::mutex();  // whoever waits for the old one is not here
}

}  // namespace lookalike
