// One array of a segment: in memory of its own, or a view into a mapped file.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "engine/base/array.hpp"

namespace lookalike {

template <class T>
class Column {
 public:
  Column() = default;
  explicit Column(Array<T> values) : owned_(std::move(values)), view_(owned_) {}
  explicit Column(const std::vector<T>& values) : Column(Array<T>(values.begin(), values.end())) {}
  explicit Column(std::span<const T> view) : view_(view) {}
  Column(Column&&) noexcept = default;  // moving a vector keeps its buffer, so the view stays right
  Column& operator=(Column&&) noexcept = default;
  Column(const Column&) = delete;
  Column& operator=(const Column&) = delete;
  ~Column() = default;

  const T* data() const { return view_.data(); }
  std::size_t size() const { return view_.size(); }
  const T& operator[](std::size_t i) const { return view_[i]; }
  std::span<const T> view() const { return view_; }

 private:
  Array<T> owned_;
  std::span<const T> view_;
};

}  // namespace lookalike
