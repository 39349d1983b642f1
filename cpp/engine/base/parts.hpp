// What a file keeps of an object: arrays of bytes, each with a name.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace lookalike {

struct NamedBytes {
  std::string_view name;
  std::span<const std::byte> bytes;
};

template <class T>
NamedBytes named(std::string_view name, std::span<const T> items) {
  return {name, std::as_bytes(items)};
}

/// Where an object that is opened finds its parts.
class PartSource {
 public:
  virtual ~PartSource() = default;

  /// Empty where there is none of that name; aligned for any number.
  virtual std::span<const std::byte> find(std::string_view name) const = 0;
  /// Throws DamagedError.
  [[noreturn]] virtual void damaged(const std::string& what) const = 0;

  /// A part as items of T, which may be none. DamagedError unless these are exactly `count`.
  template <class T>
  std::span<const T> get(std::string_view name, std::size_t count) const {
    const auto bytes = find(name);
    if (bytes.size() / sizeof(T) != count || bytes.size() % sizeof(T) != 0) wrong_length(name);
    return {reinterpret_cast<const T*>(bytes.data()), count};
  }

  /// The same, of a part that has another length than it should have.
  void wrong_length(std::string_view name) const {
    damaged("section " + called(name) + " has the wrong length");
  }

 private:
  /// What a part is called in its file.
  virtual std::string called(std::string_view name) const { return std::string(name); }
};

}  // namespace lookalike
