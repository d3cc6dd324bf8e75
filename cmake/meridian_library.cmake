# meridian_library(<name> [SOURCES ...] [TESTS ...] [DEPS ...] [PRIVATE_DEPS ...] [TEST_DEPS ...])
#
# Makes library target meridian::<name> from the folder's sources and, from TESTS, the executable
# test_<name>, registered with ctest and labelled with the folder's tier. PRIVATE_DEPS are third-party
# libraries that the headers do not show.
function(meridian_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;TESTS;DEPS;PRIVATE_DEPS;TEST_DEPS" ${ARGN})
  set(target meridian_${name})
  if(ARG_SOURCES)
    add_library(${target} STATIC ${ARG_SOURCES})
    target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR})
    target_link_libraries(${target} PUBLIC ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS} meridian_warnings)
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE ${CMAKE_SOURCE_DIR})
    target_link_libraries(${target} INTERFACE ${ARG_DEPS})
  endif()
  add_library(meridian::${name} ALIAS ${target})
  if(ARG_TESTS)
    meridian_test(test_${name} SOURCES ${ARG_TESTS} DEPS meridian::${name} ${ARG_TEST_DEPS})
  endif()
endfunction()

# meridian_test(<name> SOURCES ... [DEPS ...] [LABELS ...]): a GoogleTest executable registered with
# ctest; its labels are those given, else MERIDIAN_TIER (pure, host, or spec for the suites that need
# the test data). The guest build runs it under the emulator.
function(meridian_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LABELS" ${ARGN})
  if(NOT ARG_LABELS)
    set(ARG_LABELS ${MERIDIAN_TIER})
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} meridian_warnings)
  if(MERIDIAN_GUEST)
    target_link_libraries(${name} PRIVATE meridian_guest_gtest)
    add_test(NAME ${name} COMMAND ${MERIDIAN_GUEST_RUNNER} $<TARGET_FILE:${name}>)
  else()
    find_package(GTest REQUIRED)
    target_link_libraries(${name} PRIVATE GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name})
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT 900 LABELS "${ARG_LABELS}")
endfunction()

# meridian_fuzzer(<name> SOURCES ... DEPS ...): a libFuzzer target bin/fuzz/<name>, built only with
# MERIDIAN_FUZZ. Its kept corpus is tests/fuzz/corpus/<name>.
function(meridian_fuzzer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  if(NOT MERIDIAN_FUZZ)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} meridian_warnings)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin/fuzz)
endfunction()
