# Our own C++ is compiled with these; LOOKALIKE_WERROR makes them errors (CI does, pip install never).
function(lookalike_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
  if(LOOKALIKE_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
