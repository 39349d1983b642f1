// Memory with a forbidden page on either side: a kernel that reads or writes one byte too far ends by a
// signal.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <system_error>

/// `size` elements that end right before a forbidden page (`Edge::end`) or start right after one.
enum class Edge { start, end };

template <class T>
class Guarded {
 public:
  explicit Guarded(std::size_t size, Edge edge = Edge::end) : size_(size) {
    const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t inside = (size * sizeof(T) / page + 1) * page;
    mapped_ = inside + 2 * page;
    void* memory = mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    base_ = static_cast<std::byte*>(memory);
    if (mprotect(base_ + page, inside, PROT_READ | PROT_WRITE) != 0)
      throw std::system_error(errno, std::generic_category(), "mprotect");
    std::byte* first = edge == Edge::start ? base_ + page : base_ + page + inside - size * sizeof(T);
    data_ = reinterpret_cast<T*>(first);
  }

  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  ~Guarded() { munmap(base_, mapped_); }

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }

 private:
  std::size_t size_;
  std::size_t mapped_;
  std::byte* base_;
  T* data_;
};
