#include <chrono>
#include <exception>
#include <memory>

#include "bindings/bindings.hpp"
#include "bindings/gil.hpp"
#include "engine/base/errors.hpp"

namespace nb = nanobind;

namespace lookalike {
namespace {

nb::object error_type(const char* name) {
  return nb::module_::import_("lookalike.errors").attr(name);
}

// A message may hold a path, and a path may be any bytes.
nb::object text(const char* message) {
  return nb::steal(PyUnicode_DecodeFSDefault(message));
}

void raise(const char* name, const std::exception& error) {
  PyErr_SetObject(error_type(name).ptr(), text(error.what()).ptr());
}

// An OSError made of (errno, message) knows its errno; the message is then its strerror.
template <class Error>
void raise_with_code(const char* name, const Error& error) {
  PyErr_SetObject(error_type(name).ptr(), nb::make_tuple(error.code, text(error.what())).ptr());
}

}  // namespace

void bind_errors(nb::module_&) {
  nb::register_exception_translator([](const std::exception_ptr& pointer, void*) {
    try {
      std::rethrow_exception(pointer);
    } catch (const VectorError& error) {
      raise("VectorError", error);
    } catch (const ArgumentError& error) {
      raise("ArgumentError", error);
    } catch (const IdError& error) {
      raise("IdError", error);
    } catch (const NotAnIndexError& error) {
      raise("NotAnIndexError", error);
    } catch (const DamagedError& error) {
      raise("DamagedError", error);
    } catch (const TimeoutError& error) {
      raise("SearchTimeoutError", error);
    } catch (const BusyError& error) {
      raise("BusyError", error);
    } catch (const ReadError& error) {
      raise_with_code("ReadError", error);
    } catch (const WriteError& error) {
      raise_with_code("WriteError", error);
    }
  });
}

Interrupt python_signals() {
  using Clock = std::chrono::steady_clock;
  static constexpr auto kEvery = std::chrono::milliseconds(50);
  return [state = PyGILState_GetThisThreadState(), next = Clock::now() + kEvery]() mutable {
    if (Clock::now() < next) return;
    next = Clock::now() + kEvery;
    const Gil gil(state);
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
  };
}

}  // namespace lookalike
