// RLP of a typical transaction beside copying its bytes, which is the least that encoding can cost.
#include "arguments.hpp"
#include "interleaved.hpp"

#include <meridian/base/hex.hpp>
#include <meridian/rlp/decode.hpp>
#include <meridian/rlp/encode.hpp>

#include <cstdlib>

namespace meridian::bench {
namespace {

constexpr Address kTo = "0x1122334455667788990011223344556677889900"_address;
constexpr u256 kSignature = 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798_u256;

Bytes encode(BytesView data) {
    return rlp::ListBuilder{}
        .uint(1)
        .uint(123'456)
        .uint(1'000'000'000)
        .uint(30'000'000'000)
        .uint(65'000)
        .bytes(kTo)
        .number(1'000'000'000'000'000'000)
        .bytes(data)
        .list(rlp::ListBuilder{})
        .uint(1)
        .number(kSignature)
        .number(kSignature)
        .build();
}

u256 decode(BytesView encoded) {
    rlp::ListReader reader = rlp::ListReader::open(encoded);
    u256 sum = reader.uint64();
    for (int i = 0; i < 4; ++i)
        sum += reader.number();
    sum += from_address(reader.optional_fixed<20>().value_or(Address{}));
    sum += reader.number();
    sum += reader.bytes().size() + reader.list().size();
    sum += reader.uint64();
    sum += reader.number();
    sum += reader.number();
    if (!reader.finish())
        std::abort();
    return sum;
}

void run() {
    const Bytes data(68, 0x11);
    const Bytes encoded = encode(data);
    const auto copy = [&] { keep(Bytes(encoded)); };
    if (wants("encode transaction"))
        print("encode transaction", compare([&] { keep(encode(data)); }, copy), "copy");
    if (wants("decode transaction"))
        print("decode transaction", compare([&] { keep(decode(encoded)); }, copy), "copy");
    if (wants("check transaction"))
        print("check transaction", compare([&] { keep(rlp::check_canonical(encoded)); }, copy), "copy");
}

}  // namespace
}  // namespace meridian::bench

int main(int argc, char** argv) {
    meridian::bench::read_arguments(argc, argv);
    meridian::bench::run();
}
