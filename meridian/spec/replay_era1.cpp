// Era1 files hold no state: what their blocks commit to is checked, and nothing executed.

#include <meridian/base/hex.hpp>
#include <meridian/chain/executor.hpp>
#include <meridian/rlp/decode.hpp>
#include <meridian/rlp/encode.hpp>
#include <meridian/spec/era1.hpp>
#include <meridian/spec/replay_formats.hpp>
#include <meridian/trie/root.hpp>

#include <filesystem>

namespace meridian::spec {
namespace {

using chain::Header;

template <class T>
std::string differs(std::string_view what, const T& expected, const T& actual) {
    if (expected == actual)
        return {};
    if constexpr (std::is_same_v<T, u256> || std::is_same_v<T, std::uint64_t>)
        return std::string(what) + ": expected " + to_quantity(expected) + ", got " + to_quantity(actual);
    else
        return std::string(what) + ": expected " + to_hex0x(expected) + ", got " + to_hex0x(actual);
}

// The receipts' root, and what of them stands in the header.
std::string check_receipts(const Header& header, BytesView encoded) {
    BytesView cursor = encoded;
    rlp::ListReader reader = rlp::ListReader::open(cursor);
    std::vector<BytesView> receipts;
    std::uint64_t gas_used = 0;
    chain::Bloom bloom;
    while (!reader.at_end()) {
        const rlp::Item item = reader.item();
        receipts.push_back(item.is_list ? item.raw : item.payload);
        // A typed receipt is its type and the list.
        BytesView list = item.is_list || item.payload.empty() ? item.raw : item.payload.subspan(1);
        rlp::ListReader fields = rlp::ListReader::open(list);
        fields.bytes();  // status, or the state root of old
        gas_used = fields.uint64();
        const chain::Bloom own = fields.fixed<256>();
        fields.list();
        if (!fields.finish())
            return "receipt " + std::to_string(receipts.size() - 1) + " does not decode";
        for (std::size_t i = 0; i < own.size(); ++i)
            bloom[i] |= own[i];
    }
    if (!reader.finish() || !cursor.empty())
        return "the receipts are no RLP list";
    if (auto r = differs("receipts root", header.receipts_root, trie::ordered_root(receipts)); !r.empty())
        return r;
    if (auto r = differs("gas used", header.gas_used, gas_used); !r.empty())
        return r;
    return differs("logs bloom", header.bloom, bloom);
}

std::string check_body(const chain::Block& block) {
    const Header& header = block.header;
    if (auto r = differs("transactions root", header.transactions_root,
                         chain::transactions_root(block.transactions));
        !r.empty())
        return r;
    return differs("ommers hash", header.ommers_hash, chain::ommers_hash(block.ommers));
}

// Rules of the chain by its name in the file's; headers of others are checked for their links alone.
std::optional<chain::ChainConfig> config_of(std::string_view file_name) {
    if (file_name.starts_with("mainnet-"))
        return chain::ChainConfig::mainnet();
    constexpr std::uint64_t kSepoliaId = 11155111;
    if (file_name.starts_with("sepolia-"))
        return chain::ChainConfig::all_from_genesis(evm::Revision::London, kSepoliaId);
    return std::nullopt;
}

class Era1Check {
public:
    Era1Check(BytesView file, const std::string& name) : m_reader(file), m_config(config_of(name)) {}

    std::string run() {
        Era1Block block;
        for (;;) {
            const auto more = m_reader.next(block);
            if (!more)
                return more.error().text();
            if (!*more)
                return check_trailer();
            if (std::string reason = check_block(block); !reason.empty())
                return "block " + std::to_string(m_blocks) + " of the file: " + reason;
            ++m_blocks;
        }
    }
    const Hash& accumulator() const { return m_reader.trailer().accumulator; }

private:
    std::string check_block(const Era1Block& encoded) {
        const auto body = rlp::decode_exact(encoded.body);
        if (!body || !body->is_list)
            return "the body is no RLP list";
        Bytes whole = encoded.header;
        append(whole, body->payload);
        const auto block = chain::decode_block(rlp::wrap_list(whole));
        if (!block)
            return block.error().field + ": " + block.error().reason;
        if (auto r = check_body(*block); !r.empty())
            return r;
        if (auto r = check_receipts(block->header, encoded.receipts); !r.empty())
            return r;
        return check_link(block->header, encoded.total_difficulty);
    }

    std::string check_link(const Header& header, const u256& total_difficulty) {
        const Hash hash = chain::header_hash(header);
        m_accumulator.add(hash, total_difficulty);
        const bool first = m_blocks == 0;
        std::string reason;
        if (first)
            m_first_number = header.number;
        else
            reason = check_parent(header, total_difficulty);
        if (first && header.number == 0)
            reason = differs("total difficulty", header.difficulty, total_difficulty);
        m_parent = header;
        m_parent_hash = hash;
        m_total_difficulty = total_difficulty;
        return reason;
    }

    std::string check_parent(const Header& header, const u256& total_difficulty) {
        if (auto r = differs("number", m_parent.number + 1, header.number); !r.empty())
            return r;
        if (auto r = differs("parent hash", m_parent_hash, header.parent_hash); !r.empty())
            return r;
        if (auto r = differs("total difficulty", m_total_difficulty + header.difficulty, total_difficulty);
            !r.empty())
            return r;
        if (!m_config)
            return {};
        const auto valid = chain::validate_header(*m_config, m_parent, header);
        return valid ? "" : std::string(chain::name(valid.error().error)) + ": " + valid.error().message;
    }

    std::string check_trailer() const {
        const Era1Trailer& trailer = m_reader.trailer();
        if (m_blocks == 0)
            return "holds no block";
        if (auto r = differs("the index's first number", m_first_number, trailer.first_number); !r.empty())
            return r;
        return differs("accumulator", m_accumulator.root(), trailer.accumulator);
    }

    Era1Reader m_reader;
    std::optional<chain::ChainConfig> m_config;
    Era1Accumulator m_accumulator;
    std::uint64_t m_blocks = 0;
    std::uint64_t m_first_number = 0;
    Header m_parent;
    Hash m_parent_hash;
    u256 m_total_difficulty;
};

}  // namespace

std::string check_era1(const std::string& path) {
    const auto content = read_file(path);
    if (!content)
        return content.error().reason;
    const std::string name = std::filesystem::path(path).stem().string();
    Era1Check check(as_bytes(*content), name);
    if (std::string reason = check.run(); !reason.empty())
        return reason;
    // The name ends with the accumulator's first bytes: mainnet-00003-1234abcd.
    const std::string expected = to_hex(check.accumulator()).substr(0, 8);
    const std::size_t dash = name.rfind('-');
    if (dash != std::string::npos && name.substr(dash + 1) != expected)
        return "the accumulator begins with " + expected + ", not as the file's name says";
    return {};
}

}  // namespace meridian::spec
