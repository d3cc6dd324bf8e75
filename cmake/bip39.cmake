# The English words of BIP-39, from the npm package @scure/bip39, as the lines of a C++ array.
#
# Makes generated/bip39_english.inc in the build folder, and meridian_bip39, whose users find it.
set(MERIDIAN_BIP39_WORDS "${CMAKE_SOURCE_DIR}/node_modules/@scure/bip39/wordlists/english.js" CACHE FILEPATH
  "The English wordlist of the npm package @scure/bip39")
if(NOT EXISTS "${MERIDIAN_BIP39_WORDS}")
  message(FATAL_ERROR "There is no ${MERIDIAN_BIP39_WORDS}. Run: npm ci --ignore-scripts")
endif()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${MERIDIAN_BIP39_WORDS}")
# Every line of the file that is a word, be it the first or last one beside its quote.
file(READ "${MERIDIAN_BIP39_WORDS}" text)
string(REGEX MATCH "`([a-z\n]+)`" quoted "${text}")
string(REGEX MATCHALL "[a-z]+" words "${quoted}")
list(LENGTH words count)
if(NOT count EQUAL 2048)
  message(FATAL_ERROR "${MERIDIAN_BIP39_WORDS} holds ${count} words in place of 2048")
endif()
list(JOIN words "\",\n\"" lines)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/bip39_english.inc CONTENT "\"@lines@\",\n" @ONLY)
add_library(meridian_bip39 INTERFACE)
target_include_directories(meridian_bip39 INTERFACE ${CMAKE_BINARY_DIR}/generated)
