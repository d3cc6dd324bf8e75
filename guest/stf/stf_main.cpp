// meridian-stf: reads cases (stf_case.hpp) from standard input and prints one verdict a line. The same
// program natively and in the guest.
#include <guest/stf/stf_case.hpp>

#ifdef __riscv
#include <guest/oracle_pipe.hpp>
#endif

#include <cstdio>

namespace {

using namespace meridian;

Bytes read_all(std::FILE* file) {
    Bytes out;
    std::uint8_t chunk[1 << 16];
    while (const auto count = std::fread(chunk, 1, sizeof chunk, file))
        out.insert(out.end(), chunk, chunk + count);
    return out;
}

}  // namespace

int main() {
#ifdef __riscv
    guest::install_oracle();
#endif
    const Bytes input = read_all(stdin);
    BytesView cursor = input;
    for (std::size_t number = 0; !cursor.empty(); ++number) {
        const auto item = rlp::next(cursor);
        if (!item) {
            std::fprintf(stderr, "meridian-stf: case %zu is no RLP item\n", number);
            return 1;
        }
        const auto stf_case = guest::decode_stf_case(item->raw);
        if (!stf_case) {
            std::fprintf(stderr, "meridian-stf: case %zu: field %zu does not decode\n", number,
                         stf_case.error().field);
            return 1;
        }
        std::puts(guest::execute(*stf_case).text.c_str());
    }
    return 0;
}
