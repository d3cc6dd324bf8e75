// Transactions in geth's words: why one was refused, with the numbers that explain it.
#pragma once

#include <meridian/chain/block.hpp>
#include <meridian/chain/config.hpp>
#include <meridian/state/account.hpp>

#include <string>

namespace meridian::sequencer {

// EIP-55: the address with its checksum in the letters' case.
std::string checksum_address(const Address& address);
// "address 0x..."
std::string in_words(const Address& address);
// Two numbers, each behind its words.
std::string pair(const char* first, const u256& a, const char* second, const u256& b);

// For a transaction that execution refused: `account` is the sender's.
std::string describe(chain::TxnError error, const chain::Transaction& txn, const Address& sender,
                     const chain::ChainConfig& config, const chain::Header& header,
                     const state::Account& account);

}  // namespace meridian::sequencer
