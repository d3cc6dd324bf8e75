// The keys of chain.toml as data: parsing, checks, defaults with comments and the table in the documentation
// all come from here.
#pragma once

#include <meridian/config/node_config.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace meridian::config {

// Where a key's value is kept; what it holds at first is the default.
using Slot = std::variant<bool*, std::uint64_t*, std::string*, std::vector<std::string>*>;

// Says what is wrong with a text; empty: nothing.
using TextCheck = std::string (*)(std::string_view text);

struct Key {
    std::string_view name;
    Slot slot;
    std::string_view description;  // one sentence
    // Of a whole number, inclusive.
    std::uint64_t min = 0;
    std::uint64_t max = 0;
    std::vector<std::string_view> choices = {};  // of a text; empty: any
    TextCheck check = nullptr;                   // of a text, or of each item of a list
    bool path = false;                           // relative to the file's folder
};

struct Section {
    std::string_view name;
    std::string_view description;  // one sentence
    std::vector<Key> keys;
    // In place of keys: sections within this one, of whole numbers whose names are not known here.
    ModuleTables* tables = nullptr;
};

// The sections of a node, bound to that struct, which outlives them. Sections of other parts of the stack can
// be put behind them before they are given to parse().
std::vector<Section> sections_of(NodeConfig& config);

// "ms" of "interval_ms_max"; empty if the name has no unit.
std::string_view unit_of(std::string_view key_name) noexcept;
// "whole number, 1 to 1000", "one of fsync, replicated, none" ...
std::string describe_type(const Key& key);
// As TOML writes it.
std::string value_text(const Slot& slot);

// What two keys have to fulfil together.
struct Conflict {
    std::string_view section;
    std::string_view key;  // the one to be changed
    std::string message;
};
std::vector<Conflict> find_conflicts(const NodeConfig& config);

// Checks for Key::check.
std::string check_ip_address(std::string_view text);
std::string check_address(std::string_view text);         // 0x and 40 hexadecimal digits; may be empty
std::string check_endpoint(std::string_view text);        // HOST:PORT
std::string check_host_name(std::string_view text);       // a name or an IP address, or *
std::string check_origin(std::string_view text);          // [SCHEME://]HOST[:PORT], or *
std::string check_method_pattern(std::string_view text);  // eth_call, debug_*
std::string check_extra_data(std::string_view text);      // at most 32 bytes

}  // namespace meridian::config
