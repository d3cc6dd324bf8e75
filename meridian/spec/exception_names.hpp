// What the test suites call the reasons of a rejection, and which of Meridian's errors each of them means.
#pragma once

#include <meridian/chain/block.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace meridian::spec {

// Why Meridian rejected something. For a block with an invalid transaction this is the transaction's error.
struct Rejection {
    Rejection(chain::TxnError txn_error) : error(txn_error) {}        // NOLINT(google-explicit-constructor)
    Rejection(chain::BlockError block_error) : error(block_error) {}  // NOLINT(google-explicit-constructor)
    explicit Rejection(const chain::DecodeFailure& failure);
    explicit Rejection(const chain::BlockDecodeFailure& failure);

    std::variant<chain::TxnError, chain::BlockError> error;
    // Of an encoding that was refused: what is wrong with it, and with which of its fields, without indexes
    // and the outermost name: "accessList.address". Empty: with the encoding as a whole.
    std::optional<rlp::DecodeError> fault;
    std::string field;
};

std::string_view name_of(const Rejection& rejection) noexcept;
// The name, and of an encoding what is wrong with it.
std::string describe(const Rejection& rejection);

// Compares with a fixture's expectation, which may give alternatives ("A|B"). Empty if they agree, else a
// sentence for the report. A name that no table knows never agrees.
std::string mismatch(std::string_view expected, const Rejection& actual);

}  // namespace meridian::spec
