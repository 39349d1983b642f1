// What the engine throws on purpose; the bindings turn each into its namesake in lookalike/errors.py.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>

namespace lookalike {

/// libstdc++ asks for memory of its own at a thread's first exception, and where there is none glibc ends the
/// process. This has it asked for now. (The function is declared pure: its result must be used.)
inline void prepare_to_throw() {
  [[maybe_unused]] const volatile int asked = std::uncaught_exceptions();
}

struct VectorError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct ArgumentError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct IdError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct NotAnIndexError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct DamagedError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct TimeoutError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct BusyError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct ReadError : std::runtime_error {
  ReadError(int error_number, const std::string& message) : std::runtime_error(message), code(error_number) {}
  int code;  // errno
};
struct WriteError : std::runtime_error {
  WriteError(int error_number, const std::string& message)
      : std::runtime_error(message), code(error_number) {}
  int code;  // errno
};

}  // namespace lookalike
