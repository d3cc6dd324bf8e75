// A load run from beginning to end: funds and deploys, signs, drives, watches, and checks afterwards that the
// chain holds what it should.
#pragma once

#include <meridian/load/driver.hpp>
#include <meridian/load/process_usage.hpp>
#include <meridian/load/recovery_rate.hpp>
#include <meridian/load/watcher.hpp>
#include <meridian/load/workload.hpp>

#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace meridian::load {

struct LoadOptions {
    Endpoint endpoint;                  // where transactions go
    Endpoint rpc;                       // JSON-RPC, for everything else
    std::optional<Endpoint> subscribe;  // a WebSocket of the same node; empty: where `rpc` is
    std::string workload = "transfers";
    std::size_t transactions = 20'000;
    std::size_t accounts = 500;
    std::size_t recipients = 500;
    std::string seed = "meridian load";
    std::optional<Hash>
        fund_key;  // empty: the seed's treasury if it has ether, else the test mnemonic's first
    std::optional<u256> max_fee;  // wei a gas; empty: 20 times the base fee and one gwei
    std::string uniswap_folder;
    DriveOptions drive;  // the fields that say how fast and how many
    ReceiptSource receipts = ReceiptSource::Auto;
    double drain_s = 30;  // for receipts to come after the last submission
    int pid = 0;          // of the node; zero: unknown
};

struct LoadReport {
    std::string url;
    std::string client;
    std::string workload;
    std::string receipts;  // where they were seen
    double rate_wanted = 0;
    std::size_t prepared = 0;
    std::size_t sent = 0;
    std::size_t accepted = 0;
    std::size_t included = 0;
    std::size_t reverted = 0;
    double elapsed_s = 0;           // first submission to last receipt
    double accepted_per_s = 0;      // over the steady part: the middle eight tenths
    double included_per_s = 0;      // likewise
    double gas_per_s = 0;           // likewise
    Histogram submit_to_answer_us;  // from when the schedule wanted it sent
    Histogram submit_to_receipt_us;
    Histogram frame_interval_us;
    Histogram block_interval_us;
    double client_cores = 0;  // busy on average while the load ran
    std::optional<double> node_cores;
    std::optional<ProcessUsage> node;  // afterwards
    std::map<std::string, std::size_t> errors;
    std::vector<Check> checks;

    bool passed() const;
};

// Throws LoadFailure. Progress goes to stderr. `recovery` is measured from the signed transactions if it is
// not null.
LoadReport run_load(const LoadOptions& options, RecoveryRate* recovery);

// Writes a genesis file, as geth's, in which the run's accounts have ether and its treasury more. Of any
// number of accounts, some at a time.
void write_genesis(std::FILE* out, const LoadOptions& options, std::uint64_t chain_id,
                   std::uint64_t gas_limit);

// For people, and for programs.
std::string report_text(const LoadReport& report, const RecoveryRate& recovery);
std::string report_json(const std::vector<LoadReport>& reports, const RecoveryRate& recovery);
// One line a figure: the first's divided by the second's.
std::string comparison_text(const LoadReport& ours, const LoadReport& theirs);

}  // namespace meridian::load
