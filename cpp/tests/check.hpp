// The test framework: TEST registers a function, CHECK and CHECK_THROWS end it at the first failure.
// THOROUGH_TEST is for one that takes long under a sanitizer and tests results, not memory: --short leaves it
// out.
#pragma once

#include <exception>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace check {

struct Test {
  const char* name;
  void (*body)();
  bool thorough;
};

inline std::vector<Test>& all_tests() {
  static std::vector<Test> tests;
  return tests;
}

struct Registration {
  Registration(const char* name, void (*body)(), bool thorough) {
    all_tests().push_back({name, body, thorough});
  }
};

template <class... Details>
[[noreturn]] void fail(const char* file, int line, const char* what, const Details&... details) {
  std::ostringstream message;
  message << file << ":" << line << ": " << what;
  ((message << " | " << details), ...);
  throw std::runtime_error(message.str());
}

}  // namespace check

#define TEST(name) REGISTERED_TEST(name, false)
#define THOROUGH_TEST(name) REGISTERED_TEST(name, true)
#define REGISTERED_TEST(name, thorough)                                      \
  static void name();                                                        \
  static const check::Registration name##_registered{#name, name, thorough}; \
  static void name()

/// CHECK(condition, details...): the details are printed if the condition does not hold.
#define CHECK(condition, ...)                                                                 \
  do {                                                                                        \
    if (!(condition)) check::fail(__FILE__, __LINE__, #condition __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)

/// CHECK_THROWS(type, words, expression): it throws this type, or a derived one, with these words in its
/// message.
#define CHECK_THROWS(type, words, ...)                                                              \
  do {                                                                                              \
    std::string said = "nothing thrown";                                                            \
    try {                                                                                           \
      static_cast<void>(__VA_ARGS__);                                                               \
    } catch (const type& error) {                                                                   \
      said = error.what();                                                                          \
    }                                                                                               \
    if (said.find(words) == std::string::npos)                                                      \
      check::fail(__FILE__, __LINE__, #__VA_ARGS__, "expected " #type " with", words, "got", said); \
  } while (false)
