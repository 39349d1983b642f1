// Memory for small things that come and go, close together.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "engine/base/array.hpp"

namespace lookalike {

/// Pieces of whole lines (64 bytes, so aligned), behind each other in regions: what is read here and there
/// lies in few pages, and in huge ones where the regions are large. What is given back is used again for
/// pieces as large; the regions are freed at the end. One thread at a time takes; any may give back, without
/// a lock that fork() could find taken.
class Slabs {
 public:
  /// In regions of so many bytes, or about as many.
  explicit Slabs(std::size_t region);
  ~Slabs();
  Slabs(const Slabs&) = delete;
  Slabs& operator=(const Slabs&) = delete;

  void* take(std::size_t bytes);
  void give_back(void* piece, std::size_t bytes) noexcept;

  /// Of all regions.
  std::size_t bytes() const { return regions_.size() * region_; }

 private:
  struct Piece {
    Piece* next;
    std::size_t bytes;
  };
  struct Free {
    std::size_t bytes;
    Piece* first;
  };

  Piece*& of_size(std::size_t bytes);
  void sort_returned();

  HugePages<std::byte> memory_;
  std::size_t region_;
  std::vector<std::byte*> regions_;
  std::size_t used_ = 0;                    // of the last region
  std::vector<Free> free_;                  // few sizes
  std::atomic<Piece*> returned_ = nullptr;  // of any size
};

/// An allocator, which keeps them.
template <class T>
class InSlabs {
 public:
  using value_type = T;

  explicit InSlabs(std::shared_ptr<Slabs> slabs) : slabs_(std::move(slabs)) {}
  InSlabs(const InSlabs&) = default;  // and no move: an allocator stays one
  InSlabs& operator=(const InSlabs&) = default;
  template <class U>
  InSlabs(const InSlabs<U>& other) : slabs_(other.slabs()) {}  // NOLINT: allocators convert

  const std::shared_ptr<Slabs>& slabs() const { return slabs_; }

  T* allocate(std::size_t count) { return static_cast<T*>(slabs_->take(count * sizeof(T))); }
  void deallocate(T* memory, std::size_t count) noexcept { slabs_->give_back(memory, count * sizeof(T)); }

  bool operator==(const InSlabs&) const = default;

 private:
  std::shared_ptr<Slabs> slabs_;
};

}  // namespace lookalike
