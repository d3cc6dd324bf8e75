# Compiler settings shared by every target.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
# Assertions of third-party headers stay on: Release adds no -DNDEBUG. Instrumented code is compiled at
# -O1, which halves its compile time for little more run time.
set(MERIDIAN_OPTIMISE -O2)
if(MERIDIAN_SANITIZE)
  set(MERIDIAN_OPTIMISE -O1)
endif()
set(CMAKE_CXX_FLAGS_RELEASE ${MERIDIAN_OPTIMISE})
set(CMAKE_C_FLAGS_RELEASE ${MERIDIAN_OPTIMISE})

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/= -fno-strict-aliasing)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64" AND MERIDIAN_ARCH)
  add_compile_options(-march=${MERIDIAN_ARCH})
endif()
if(MERIDIAN_GUEST)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions> $<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>)
  add_link_options(-static)
endif()
if(MERIDIAN_SANITIZE)
  # Catches what no sanitizer sees: the error of a result that holds a value, an index past the end.
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
  add_compile_options(-fsanitize=${MERIDIAN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -g1)
  add_link_options(-fsanitize=${MERIDIAN_SANITIZE})
endif()
if(MERIDIAN_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# Warnings are errors on our own targets only. libstdc++ 12's stable_sort calls what libstdc++ itself
# declares deprecated, and clang blames the caller.
add_library(meridian_warnings INTERFACE)
target_compile_options(meridian_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Werror
  $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overflow -Wno-restrict -Wno-psabi>)
