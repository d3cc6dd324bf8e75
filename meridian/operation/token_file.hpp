// The secret that opens the admin port.
#pragma once

#include <meridian/base/result.hpp>

#include <string>
#include <string_view>

namespace meridian::operation {

// Reads the token from the file (white space around it is not part of it), or makes one of 256 random bits in
// a new file that only its owner can read. The error is a sentence: a file that others can read is refused,
// as is one with less than 32 characters.
Result<std::string, std::string> load_or_make_token(const std::string& path);

// Whether the value of an Authorization field is "Bearer" and that token. The time does not tell how much of
// it was right.
bool authorized(std::string_view authorization, std::string_view token);

}  // namespace meridian::operation
