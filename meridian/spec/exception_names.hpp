// What the test suites call the reasons of a rejection, and which of Meridian's errors each of them means.
#pragma once

#include <meridian/chain/errors.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace meridian::spec {

// Why Meridian rejected something. For a block with an invalid transaction this is the transaction's error.
using Rejection = std::variant<chain::TxnError, chain::BlockError>;

std::string_view name_of(const Rejection& rejection) noexcept;

// Compares with a fixture's expectation, which may give alternatives ("A|B"). Empty if they agree, else a
// sentence for the report. A name that no table knows never agrees.
std::string mismatch(std::string_view expected, const Rejection& actual);

}  // namespace meridian::spec
