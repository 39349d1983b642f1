// The arrays of a segment: on huge pages where they are large, or in files where they are to spare memory.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/base/spill.hpp"

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace lookalike {

/// A query touches a few hundred places of arrays of many megabytes: with pages of 4 KiB nearly each of them
/// misses the TLB, too. Asking (Linux, `madvise`) is all that can be done; elsewhere it is plain memory.
/// With a spill, the array lies there.
template <class T>
class HugePages {
 public:
  using value_type = T;
  using propagate_on_container_move_assignment = std::true_type;
  using propagate_on_container_swap = std::true_type;

  HugePages() = default;
  explicit HugePages(std::shared_ptr<Spill> spill) : spill_(std::move(spill)) {}
  template <class U>
  HugePages(const HugePages<U>& other) : spill_(other.spill()) {}  // NOLINT: allocators convert

  const std::shared_ptr<Spill>& spill() const { return spill_; }

  T* allocate(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    if (spill_) return static_cast<T*>(spill_->map(bytes));
    void* memory = ::operator new(bytes, alignment(count));
#ifdef __linux__
    if (is_large(count)) ::madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) {
    if (spill_)
      spill_->unmap(memory, count * sizeof(T));
    else
      ::operator delete(memory, alignment(count));
  }

  /// New items are zero, as those of any vector; what a spill has just mapped is so without being touched.
  /// Such an array must not shrink and grow again.
  template <class U>
  void construct(U* item) {
    if (!spill_) ::new (static_cast<void*>(item)) U();
  }
  template <class U, class... Values>
  void construct(U* item, Values&&... values) {
    ::new (static_cast<void*>(item)) U(std::forward<Values>(values)...);
  }

  bool operator==(const HugePages&) const = default;

 private:
  static constexpr std::size_t kPage = std::size_t{2} << 20;

  static bool is_large(std::size_t count) { return count * sizeof(T) >= 2 * kPage; }
  static std::align_val_t alignment(std::size_t count) {
    constexpr std::size_t line = 64;
    return std::align_val_t{is_large(count) ? kPage : line};
  }

  std::shared_ptr<Spill> spill_;
};

template <class T>
using Array = std::vector<T, HugePages<T>>;

}  // namespace lookalike
