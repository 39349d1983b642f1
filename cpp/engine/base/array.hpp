// The arrays of a segment, on huge pages where they are large.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace lookalike {

/// A query touches a few hundred places of arrays of many megabytes: with pages of 4 KiB nearly each of them
/// misses the TLB, too. Asking (Linux, `madvise`) is all that can be done; elsewhere it is plain memory.
template <class T>
struct HugePages {
  using value_type = T;

  HugePages() = default;
  template <class U>
  HugePages(const HugePages<U>&) {}  // NOLINT: allocators convert

  T* allocate(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    void* memory = ::operator new(bytes, alignment(count));
#ifdef __linux__
    if (is_large(count)) ::madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) { ::operator delete(memory, alignment(count)); }

  bool operator==(const HugePages&) const = default;

 private:
  static constexpr std::size_t kPage = std::size_t{2} << 20;

  static bool is_large(std::size_t count) { return count * sizeof(T) >= 2 * kPage; }
  static std::align_val_t alignment(std::size_t count) {
    constexpr std::size_t line = 64;
    return std::align_val_t{is_large(count) ? kPage : line};
  }
};

template <class T>
using Array = std::vector<T, HugePages<T>>;

}  // namespace lookalike
