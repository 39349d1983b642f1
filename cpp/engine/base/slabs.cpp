#include "engine/base/slabs.hpp"

#include <algorithm>
#include <bit>
#include <new>

namespace lookalike {
namespace {

constexpr std::size_t kLine = 64;

std::size_t whole_lines(std::size_t bytes) {
  return std::max((bytes + kLine - 1) / kLine, std::size_t{1}) * kLine;
}

#ifndef __has_feature
#define __has_feature(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
constexpr bool kEachByItself = true;  // so that one that is used after it was given back is told
#else
constexpr bool kEachByItself = false;
#endif

}  // namespace

Slabs::Slabs(std::size_t region)
    : region_(std::bit_ceil(std::clamp(region, std::size_t{64} << 10, std::size_t{4} << 20))) {}

Slabs::~Slabs() {
  for (std::byte* region : regions_) memory_.deallocate(region, region_);
}

void* Slabs::take(std::size_t bytes) {
  bytes = whole_lines(bytes);
  if (kEachByItself || bytes > region_) return ::operator new(bytes, std::align_val_t{kLine});
  if (of_size(bytes) == nullptr) sort_returned();
  Piece*& first = of_size(bytes);
  if (first != nullptr) {
    Piece* const piece = first;
    first = piece->next;
    return piece;
  }
  if (regions_.empty() || used_ + bytes > region_) {
    regions_.reserve(regions_.size() + 1);
    regions_.push_back(memory_.allocate(region_));
    used_ = 0;
  }
  std::byte* const piece = regions_.back() + used_;
  used_ += bytes;
  return piece;
}

void Slabs::give_back(void* piece, std::size_t bytes) noexcept {
  bytes = whole_lines(bytes);
  if (kEachByItself || bytes > region_) return ::operator delete(piece, std::align_val_t{kLine});
  auto* const returned = ::new (piece) Piece{returned_.load(std::memory_order_relaxed), bytes};
  while (!returned_.compare_exchange_weak(returned->next, returned, std::memory_order_release,
                                          std::memory_order_relaxed)) {
  }
}

Slabs::Piece*& Slabs::of_size(std::size_t bytes) {
  const auto found = std::ranges::find(free_, bytes, &Free::bytes);
  if (found != free_.end()) return found->first;
  free_.push_back({bytes, nullptr});
  return free_.back().first;
}

void Slabs::sort_returned() {
  for (Piece* piece = returned_.exchange(nullptr, std::memory_order_acquire); piece != nullptr;) {
    Piece* const next = piece->next;
    Piece*& first = of_size(piece->bytes);
    piece->next = first;
    first = piece;
    piece = next;
  }
}

}  // namespace lookalike
