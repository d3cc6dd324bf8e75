// The frame contract: its code, and the system step that writes what it shows.
#include <meridian/chain/frames.hpp>

namespace meridian::chain {

namespace {

// Where the code's parts begin.
constexpr std::uint8_t kRefuseAt = 0x33;
constexpr std::uint8_t kNumberAt = 0x37;
constexpr std::uint8_t kIndexAt = 0x49;
constexpr std::uint8_t kTimestampAt = 0x5a;
constexpr std::uint8_t kAllAt = 0x65;

// Needs Shanghai (PUSH0). No function takes value; what follows a selector is ignored, as Solidity does.
// clang-format off
constexpr std::uint8_t kCode[] = {
    /* 00 */ 0x34, 0x60, kRefuseAt, 0x57,                                                         // value: refuse
    /* 04 */ 0x5f, 0x35, 0x60, 0xe0, 0x1c,                                                        // selector
    /* 09 */ 0x5f, 0x54, 0x90,                                                                    // word selector
    /* 0c */ 0x80, 0x63, 0x1f, 0x9a, 0x72, 0x03, 0x14, 0x60, kNumberAt, 0x57,                     // frameNumber()
    /* 16 */ 0x80, 0x63, 0xc9, 0xe3, 0x9c, 0x97, 0x14, 0x60, kIndexAt, 0x57,                      // frameIndex()
    /* 20 */ 0x80, 0x63, 0xb1, 0xe8, 0x14, 0x9f, 0x14, 0x60, kTimestampAt, 0x57,                  // frameTimestampMicros()
    /* 2a */ 0x63, 0x5a, 0x11, 0x06, 0xd2, 0x14, 0x60, kAllAt, 0x57,                              // frame(), the last one
    /* 33 */ 0x5b, 0x5f, 0x5f, 0xfd,                                                              // refuse
    /* 37 */ 0x5b, 0x50, 0x67, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x16,              // low 64 bits
    /* 43 */ 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3,                                                  // return one word
    /* 49 */ 0x5b, 0x50, 0x60, 0x40, 0x1c, 0x63, 0xff, 0xff, 0xff, 0xff, 0x16,                    // 32 bits from bit 64 on
    /* 54 */ 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3,                                                  // return one word
    /* 5a */ 0x5b, 0x50, 0x60, 0x80, 0x1c,                                                        // what begins at bit 128
    /* 5f */ 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3,                                                  // return one word
    /* 65 */ 0x5b, 0x80, 0x67, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x16, 0x5f, 0x52,  // number
    /* 73 */ 0x80, 0x60, 0x40, 0x1c, 0x63, 0xff, 0xff, 0xff, 0xff, 0x16, 0x60, 0x20, 0x52,        // index
    /* 80 */ 0x60, 0x80, 0x1c, 0x60, 0x40, 0x52,                                                  // timestamp
    /* 86 */ 0x60, 0x60, 0x5f, 0xf3,                                                              // return three words
};
// clang-format on
static_assert(kCode[kRefuseAt] == 0x5b && kCode[kNumberAt] == 0x5b && kCode[kIndexAt] == 0x5b &&
              kCode[kTimestampAt] == 0x5b && kCode[kAllAt] == 0x5b);

}  // namespace

BytesView frame_contract_code() noexcept {
    return kCode;
}

u256 pack(const FrameContext& frame) noexcept {
    return {frame.number, frame.index, frame.timestamp_us, 0};
}

FrameContext unpack_frame(const u256& word) noexcept {
    return {word[0], static_cast<std::uint32_t>(word[1]), word[2]};
}

FrameContext last_frame(state::State& state) {
    return unpack_frame(state.slot(state.load(kFrameContract), kFrameSlot).current);
}

void write_frame(state::State& state, const FrameContext& frame) {
    state.begin_transaction();
    state::CachedAccount& account = state.load(kFrameContract);
    if (!account.account.has_code()) {
        state.set_nonce(account, 1);
        state.set_code(account, to_bytes(frame_contract_code()));
    }
    state.set_storage(account, kFrameSlot, state.slot(account, kFrameSlot), pack(frame));
    // The contract has code, so that no rule about empty accounts concerns it.
    state.finish_transaction({.delete_touched_empty = true});
}

}  // namespace meridian::chain
