// Calls of contracts, as far as the workloads need them: words, and one array of addresses at the end.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/base/u256.hpp>

#include <initializer_list>
#include <span>
#include <string_view>

namespace meridian::load {

// An address as a word.
u256 word(const Address& address);

// The selector of a signature such as "transfer(address,uint256)", then the words.
Bytes call_data(std::string_view signature, std::initializer_list<u256> words);
// The same for a function with one address[] among its parameters: `words` are the parameters' heads in
// order, `array_at` is the array's place among them (its word is replaced by the offset).
Bytes call_data(std::string_view signature, std::initializer_list<u256> words, std::size_t array_at,
                std::span<const Address> array);
// Creation code with the constructor's words behind it.
Bytes creation_data(BytesView code, std::initializer_list<u256> words);

}  // namespace meridian::load
