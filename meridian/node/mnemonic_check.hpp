// Whether a phrase is a mnemonic: English words with their checksum (BIP-39).
#pragma once

#include <meridian/base/result.hpp>

#include <string>
#include <string_view>

namespace meridian::node {

enum class [[nodiscard]] MnemonicFault : std::uint8_t { WordCount, UnknownWord, Checksum };

struct MnemonicRefusal {
    MnemonicFault fault;
    std::string message;  // a sentence that names the word, the count or the checksum
};

// Words are lower-case, as every other letter case is another phrase with other keys. Runs of white space
// count as one space.
Result<void, MnemonicRefusal> check_mnemonic(std::string_view phrase);

}  // namespace meridian::node
