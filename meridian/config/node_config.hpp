// What chain.toml says: a plain struct with its defaults. schema.hpp says what each key means, its unit and
// its range; a field's name is its key's, with the unit last. Paths are relative to the file's folder.
//
// A section is a struct and a function in schema.cpp; a new one needs nothing else.
#pragma once

#include <meridian/base/u256.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace meridian::config {

struct ChainSection {
    std::string genesis;         // file; empty: the preset
    std::string preset = "dev";  // dev
    std::uint64_t chain_id = 0;  // zero: the genesis file's, or the preset's
};

struct NodeSection {
    std::string role = "sequencer";  // sequencer, replica
    std::string data_dir = "meridian-data";
    std::uint64_t threads = 0;  // zero: one a core
    std::uint64_t drain_ms_max = 10'000;
};

struct FramesSection {
    std::uint64_t interval_ms = 10;
    std::uint64_t interval_min_us = 250;
    std::uint64_t block_time_s = 1;
    std::uint64_t txns_max = 10'000;
    std::uint64_t txn_kib_max = 4'096;
    std::uint64_t gas_max = 100'000'000;
    std::uint64_t block_gas_max = 4'000'000'000;
    std::string coinbase;  // address; empty: the zero address
    std::string extra_data;
    std::uint64_t term = 0;
    std::uint64_t unpublished_max = 256;
    std::uint64_t uncommitted_max = 8'192;
    std::uint64_t unstored_blocks_max = 8;
};

struct LogSection {
    std::string durability = "fsync";   // fsync, replicated, none
    std::vector<std::string> replicas;  // addresses
    std::uint64_t replicas_min = 1;
    std::uint64_t replicas_wait_s = 10;
    std::uint64_t segment_mib_max = 64;
    std::uint64_t retained_mib_max = 16'384;
    std::uint64_t buffered_mib_max = 64;
};

struct StoreSection {
    std::string mode = "pruned";  // pruned, archive
    std::uint64_t state_blocks = 1'024;
    std::uint64_t body_blocks = 100'000;
    std::uint64_t cache_mib = 512;
    std::uint64_t write_buffer_mib = 128;
    std::uint64_t trie_account_mib_max = 2'048;
    std::uint64_t trie_storage_mib_max = 1'024;
    std::uint64_t background_jobs = 2;
    std::uint64_t proof_changes_max = 1'000'000;
};

struct PoolSection {
    std::uint64_t txns_max = 200'000;
    std::uint64_t mib_max = 256;
    std::uint64_t per_sender_max = 4'096;
    std::uint64_t nonce_gap_max = 4'096;
    std::uint64_t gap_life_s = 600;
};

struct IngressSection {
    std::uint64_t threads = 0;  // zero: one a core
    std::uint64_t queue_txns_max = 20'000;
    std::uint64_t queue_mib_max = 64;
    std::uint64_t batch_txns = 64;
    std::uint64_t txn_kib_max = 128;
    std::uint64_t txn_gas_max = 30'000'000;  // zero: the block's
    std::uint64_t gas_price_min_wei = 0;
};

struct RpcSection {
    std::string host = "127.0.0.1";
    std::uint64_t port = 8545;
    std::vector<std::string> vhosts{"localhost"};
    std::vector<std::string> cors{"localhost", "127.0.0.1", "[::1]"};
    // Methods, or NAMESPACE_*; an empty allow list allows all.
    std::vector<std::string> allow;
    std::vector<std::string> deny;
    std::uint64_t requests_per_s_max = 0;  // of one client address; zero: no limit
    std::uint64_t requests_burst_max = 1'000;
    std::uint64_t concurrent_requests_max = 256;
    std::uint64_t waiting_max = 20'000;
    std::uint64_t read_threads = 2;
    std::uint64_t read_queue_max = 1'024;

    std::uint64_t connections_max = 1'000;
    std::uint64_t connections_per_address_max = 0;  // zero: no limit of its own
    std::uint64_t header_kib_max = 64;
    std::uint64_t request_kib_max = 8'192;
    std::uint64_t requests_mib_max = 64;
    std::uint64_t answers_mib_max = 512;
    std::uint64_t header_s_max = 10;
    std::uint64_t body_s_max = 30;
    std::uint64_t write_s_max = 60;
    std::uint64_t idle_s_max = 120;

    std::uint64_t json_depth_max = 64;
    std::uint64_t json_values_max = 250'000;
    std::uint64_t batch_items_max = 1'000;
    std::uint64_t batch_response_kib_max = 25'600;
    std::uint64_t batch_ms_max = 30'000;
    std::uint64_t response_kib_max = 131'072;
    std::uint64_t call_gas_max = 50'000'000;
    std::uint64_t call_ms_max = 5'000;
    std::uint64_t trace_ms_max = 60'000;
    std::uint64_t filters_max = 10'000;
    std::uint64_t filter_idle_s_max = 300;
    std::uint64_t filter_terms_mib_max = 64;
    std::uint64_t log_results_max = 100'000;
    std::uint64_t simulate_blocks_max = 256;
    std::uint64_t simulate_calls_max = 5'000;
    std::uint64_t trace_steps_max = 2'000'000;
    std::uint64_t storage_values_max = 1'024;
    std::uint64_t fee_history_blocks_max = 1'024;
};

struct WsSection {
    std::uint64_t idle_s_max = 300;
    std::uint64_t notification_kib_max = 16'384;
    std::uint64_t subscriptions_max = 1'000;
    std::uint64_t subscriptions_total_max = 100'000;
};

struct AdminSection {
    bool enabled = true;
    std::string host = "127.0.0.1";
    std::uint64_t port = 8547;
    std::string token_file;  // empty: admin.token in node.data_dir
};

struct MetricsSection {
    bool enabled = true;
    std::string host = "127.0.0.1";
    std::uint64_t port = 9645;
};

struct FeedSection {
    bool enabled = true;  // of a sequencer, or of a replica that passes it on
    std::string host = "127.0.0.1";
    std::uint64_t port = 8548;
    std::uint64_t subscribers_max = 256;
    std::vector<std::string> upstream;    // HOST:PORT
    std::vector<std::string> sequencers;  // addresses
    bool trust_diffs = false;
    bool acknowledge = false;
    std::string identity_file;  // empty: replica.key in node.data_dir
};

struct TransactionsSection {
    bool enabled = true;
    std::string host = "127.0.0.1";
    std::uint64_t port = 8549;
    std::uint64_t connections_max = 256;
    std::string upstream;  // of a replica: HOST:PORT; empty: it takes no transactions
};

struct SignerSection {
    std::string key_file;                   // empty: sequencer.key in node.data_dir
    std::vector<std::string> predecessors;  // addresses
};

struct LoggingSection {
    std::string level = "info";    // trace, debug, info, warn, error, off
    std::string format = "human";  // human, json
};

// Native modules by name, each with the parameters that its section gives; the program knows the names.
using ModuleTables = std::map<std::string, std::map<std::string, u256, std::less<>>>;

struct NodeConfig {
    ChainSection chain;
    NodeSection node;
    FramesSection frames;
    LogSection log;
    StoreSection store;
    PoolSection pool;
    IngressSection ingress;
    RpcSection rpc;
    WsSection ws;
    AdminSection admin;
    MetricsSection metrics;
    FeedSection feed;
    TransactionsSection transactions;
    SignerSection signer;
    LoggingSection logging;
    ModuleTables modules;
};

}  // namespace meridian::config
