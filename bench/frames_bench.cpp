// Frames as a sequencer at 50,000 transactions a second makes them (500 each), beside the least that it can
// cost: copying the same bytes, hashing them and compressing them; for decoding, decompressing, hashing and
// copying.
#include "arguments.hpp"
#include "frame_groups.hpp"
#include "interleaved.hpp"

#include <meridian/crypto/keccak.hpp>
#include <meridian/frames/codec.hpp>
#include <meridian/frames/crc32c.hpp>

#include <zstd.h>

#include <cstdlib>
#include <random>

namespace meridian::bench {
namespace {

using namespace frames;
using namespace literals;

constexpr std::size_t kTransactions = 500;

std::mt19937_64 engine(1);

template <std::size_t N>
FixedBytes<N> random_bytes() {
    FixedBytes<N> out;
    for (std::uint8_t& byte : out)
        byte = static_cast<std::uint8_t>(engine());
    return out;
}

// What the executor has when a frame is sealed.
struct Work {
    std::vector<Bytes> envelopes;
    std::vector<chain::Receipt> receipts;
    state::StateChanges changes;
};

chain::Transaction transaction(std::uint64_t nonce, std::size_t data_size) {
    chain::Transaction txn;
    txn.type = chain::TxnType::DynamicFee;
    txn.chain_id = 1234321;
    txn.nonce = nonce;
    txn.max_fee_per_gas = 2'000'000'000;
    txn.max_priority_fee_per_gas = 1'000'000'000;
    txn.gas_limit = 60'000;
    txn.to = random_bytes<20>();
    txn.value = data_size == 0 ? 1'000'000'000'000'000 + engine() % 1'000'000 : 0;
    txn.data.resize(data_size);
    for (std::size_t i = 16; i < data_size; i += 3)
        txn.data[i] = static_cast<std::uint8_t>(engine());
    txn.r = from_hash(random_bytes<32>());
    txn.s = from_hash(random_bytes<32>());
    return txn;
}

state::AccountChange payer(std::uint64_t nonce) {
    state::AccountChange change;
    change.account = state::Account{nonce, u256{engine()} * 1'000'000, crypto::kEmptyKeccak};
    return change;
}

// Ether from account to account.
Work transfers() {
    Work work;
    for (std::size_t i = 0; i < kTransactions; ++i) {
        work.envelopes.push_back(chain::encode(transaction(i, 0)));
        chain::Receipt receipt;
        receipt.type = chain::TxnType::DynamicFee;
        receipt.success = true;
        receipt.gas_used = 21'000;
        work.receipts.push_back(receipt);
        work.changes.accounts[random_bytes<20>()] = payer(i);
        work.changes.accounts[random_bytes<20>()] = payer(0);
    }
    return work;
}

// One token's transfers: a log and two slots each.
Work token_transfers() {
    Work work;
    const Address token = random_bytes<20>();
    state::AccountChange& contract = work.changes.accounts[token];
    contract.account = state::Account{1, 0, random_bytes<32>()};
    for (std::size_t i = 0; i < kTransactions; ++i) {
        work.envelopes.push_back(chain::encode(transaction(i, 68)));
        chain::Receipt receipt;
        receipt.type = chain::TxnType::DynamicFee;
        receipt.success = true;
        receipt.gas_used = 34'567;
        const Hash from = left_padded<32>(random_bytes<20>());
        receipt.logs.push_back({token,
                                {random_bytes<32>(), from, left_padded<32>(random_bytes<20>())},
                                to_bytes(to_hash(engine()))});
        work.receipts.push_back(receipt);
        work.changes.accounts[random_bytes<20>()] = payer(i);
        contract.storage[from_hash(random_bytes<32>())] = engine();
        contract.storage[from_hash(random_bytes<32>())] = engine();
    }
    return work;
}

void run(const char* name, const Work& work) {
    const std::vector<BytesView> envelopes(work.envelopes.begin(), work.envelopes.end());
    const SegmentView segment{kEvmLane, envelopes};
    const ContentView content{nullptr, {&segment, 1}, work.receipts, work.changes};
    SignedHeader head;
    head.header.index = 1;
    const Sections sections = *encode_sections(content);
    commit_sections(head.header, sections);
    const Bytes record = encode_record(head, sections);
    ZSTD_CCtx* const compressor = ZSTD_createCCtx();
    ZSTD_DCtx* const decompressor = ZSTD_createDCtx();
    Bytes compressed(ZSTD_compressBound(sections.bytes.size()));
    const std::size_t compressed_size =
        ZSTD_compressCCtx(compressor, compressed.data(), compressed.size(), sections.bytes.data(),
                          sections.bytes.size(), kCompressionLevel);
    std::printf("%s: %zu transactions, sections %zu bytes, record %zu bytes\n", name, kTransactions,
                sections.bytes.size(), record.size());
    const auto hash = [](const Sections& of) {
        FrameHeader header;
        commit_sections(header, of);
        keep(header);
    };
    print("  encode, a transaction",
          compare(
              [&] {
                  SignedHeader sealed;
                  const Sections encoded = *encode_sections(content);
                  commit_sections(sealed.header, encoded);
                  keep(encode_record(sealed, encoded));
              },
              [&] {
                  Sections copy = sections;
                  hash(copy);
                  keep(ZSTD_compressCCtx(compressor, compressed.data(), compressed.size(), copy.bytes.data(),
                                         copy.bytes.size(), kCompressionLevel));
              },
              kTransactions, kTransactions),
          "copy+hash+zstd");
    print("  sections, a transaction",
          compare([&] { keep(encode_sections(content)); }, [&] { keep(Bytes(sections.bytes)); },
                  kTransactions, kTransactions),
          "copy");
    print("  decode, a transaction",
          compare(
              [&] {
                  const auto view = peek(record);
                  const Sections opened = *open_sections(*view);
                  if (!verify_sections(view->head.header, opened))
                      std::abort();
                  keep(decode_content(opened));
              },
              [&] {
                  Sections opened{Bytes(sections.bytes.size()), sections.sizes};
                  if (ZSTD_decompressDCtx(decompressor, opened.bytes.data(), opened.bytes.size(),
                                          compressed.data(), compressed_size) != opened.bytes.size())
                      std::abort();
                  hash(opened);
                  keep(Bytes(opened.bytes));
              },
              kTransactions, kTransactions),
          "zstd+hash+copy");
    print("  CRC-32C, the record", compare([&] { keep(crc32c(record)); }, [&] { keep(Bytes(record)); }),
          "copy");
    ZSTD_freeCCtx(compressor);
    ZSTD_freeDCtx(decompressor);
}

}  // namespace
}  // namespace meridian::bench

int main(int argc, char** argv) {
    namespace bench = meridian::bench;
    bench::read_arguments(argc, argv);
    if (bench::wants("transfers"))
        bench::run("transfers", bench::transfers());
    if (bench::wants("token transfers"))
        bench::run("token transfers", bench::token_transfers());
    if (bench::wants("durable groups"))
        bench::run_groups();
}
