// The suites below a whole block: single code runs, transactions, RLP, tries, difficulties, hex prefixes.
#pragma once

#include <meridian/spec/case_context.hpp>

namespace meridian::spec {

// All throw FieldFailure.

// legacytests VMTests: code run on its own, with its gas, output, logs and storage.
void run_vm_test(const Json& test, CaseContext& context);
// TransactionTests: bytes that are a valid transaction in a fork, or why not.
void run_transaction_test(const Json& test, CaseContext& context);
// RLPTests, invalidRLPTest, RandomRLPTests.
void run_rlp_test(const Json& test, CaseContext& context);
// TrieTests: keys and values, and the root. `secure` hashes the keys.
void run_trie_test(const Json& test, bool secure, CaseContext& context);
// TrieTests/trietestnextprev.json: the keys before and after one.
void run_trie_order_test(const Json& test, CaseContext& context);
// BasicTests/difficulty*.json. The name of the file tells the chain.
void run_difficulty_test(const Json& test, std::string_view file, CaseContext& context);
// BasicTests/hexencodetest.json.
void run_hex_prefix_test(const Json& test, CaseContext& context);

}  // namespace meridian::spec
