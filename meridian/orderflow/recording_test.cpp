#include <meridian/orderflow/recording.hpp>

#include <gtest/gtest.h>

#include <zstd.h>

namespace meridian::orderflow {
namespace {

using modules::exchange::Side;

void put(Bytes& out, std::uint64_t value, std::size_t size, bool big_endian = false) {
    for (std::size_t i = 0; i < size; ++i) {
        const std::size_t shift = 8 * (big_endian ? size - 1 - i : i);
        out.push_back(shift < 64 ? static_cast<std::uint8_t>(value >> shift) : std::uint8_t{0});
    }
}
void put(Bytes& out, std::string_view text) {
    out.insert(out.end(), text.begin(), text.end());
}

Bytes dbn_header() {
    Bytes out;
    put(out, "DBN\x01");
    put(out, 4, 4);
    put(out, "head");
    return out;
}

void put_record(Bytes& out, char action, char side, std::uint64_t order, std::uint64_t price,
                std::uint32_t size, std::uint32_t flags = 0x80, std::uint32_t instrument = 7) {
    put(out, 14, 1);
    put(out, 0xa0, 1);
    put(out, 1, 2);
    put(out, instrument, 4);
    put(out, 1, 8);
    put(out, order, 8);
    put(out, price, 8);
    put(out, size, 4);
    put(out, flags, 1);
    put(out, 0, 1);
    put(out, static_cast<std::uint8_t>(action), 1);
    put(out, static_cast<std::uint8_t>(side), 1);
    put(out, 2, 8);
    put(out, 0, 4);
    put(out, 99, 4);
}

TEST(Dbn, ReadsActionsAndTheEndsOfEvents) {
    Bytes file = dbn_header();
    put_record(file, 'A', 'B', 5, 4'799'250'000'000, 3, 0);
    put_record(file, 'F', 'N', 5, 4'799'250'000'000, 1, 0);
    put_record(file, 'C', 'B', 5, 4'799'250'000'000, 1);
    put_record(file, 'R', 'N', 0, 0x7fff'ffff'ffff'ffff, 0);
    const auto recording = read_recording(Format::Dbn, file);
    ASSERT_TRUE(recording) << recording.error().text;
    ASSERT_EQ(recording->messages.size(), 4u);
    const Message& add = recording->messages[0];
    EXPECT_EQ(add.action, Action::Add);
    EXPECT_EQ(add.price, 4'799'250'000'000);
    EXPECT_EQ(add.size, 3u);
    EXPECT_FALSE(add.completes);
    EXPECT_EQ(add.sequence, 99u);
    EXPECT_EQ(recording->messages[1].action, Action::None);
    EXPECT_EQ(recording->messages[2].action, Action::Take);
    EXPECT_TRUE(recording->messages[2].completes);
    EXPECT_EQ(recording->messages[3].action, Action::Clear);
}

TEST(Dbn, ReadsZstdAndSaysWhereItIsCutOff) {
    Bytes file = dbn_header();
    for (std::uint64_t order = 1; order < 200; ++order)
        put_record(file, 'A', 'B', order * 0x9e3779b97f4a7c15u, 1'000'000'000 * order, 3);
    Bytes packed(ZSTD_compressBound(file.size()));
    packed.resize(ZSTD_compress(packed.data(), packed.size(), file.data(), file.size(), 3));
    EXPECT_EQ(read_recording(Format::Dbn, packed)->messages.size(), 199u);
    packed.resize(packed.size() / 2);
    const auto cut = read_recording(Format::Dbn, packed);
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().text, "the zstd data ends within a frame: the file is cut off");
    EXPECT_GT(cut.error().offset, 0u);
    packed[20] ^= 0xff;
    EXPECT_FALSE(read_recording(Format::Dbn, packed));
}

TEST(Dbn, NamesWhatIsWrongAndWhere) {
    const auto error_of = [](const Bytes& file) {
        const auto recording = read_recording(Format::Dbn, file);
        return recording ? std::string("none")
                         : std::to_string(recording.error().offset) + ": " + recording.error().text;
    };
    Bytes file = dbn_header();
    put_record(file, 'A', 'B', 5, 1, 3);
    const Bytes good = file;
    EXPECT_EQ(error_of({'D', 'B'}), "0: not a DBN file: it does not begin with 'DBN'");
    file[3] = 9;
    EXPECT_EQ(error_of(file), "3: DBN version 9; known are 1 to 3");
    file = good;
    file[7] = 0xff;
    EXPECT_EQ(error_of(file), "4: the header's length leads behind the end of the file");
    file = good;
    file.pop_back();
    EXPECT_EQ(error_of(file), "12: the file ends within a record");
    file = good;
    file[12] = 0;
    EXPECT_EQ(error_of(file), "12: a record of 0 bytes; want 16 at least");
    file = good;
    file[12] = 4;
    EXPECT_EQ(error_of(file), "12: a market-by-order record has 56 bytes, not 16");
    file = good;
    put_record(file, 'Z', 'B', 5, 1, 3);
    EXPECT_EQ(error_of(file), "68: unknown action 'Z'");
    file = good;
    put_record(file, 'A', 'N', 5, 1, 3);
    EXPECT_EQ(error_of(file), "68: an order of side 'N'; want B or A");
    file = good;
    put_record(file, 'A', 'B', 6, 1, 3, 0x80, 8);
    EXPECT_EQ(error_of(file), "68: several instruments (7, 8): name the one that is meant");
    EXPECT_EQ(read_recording(Format::Dbn, file, {.instrument = "8"})->messages[0].id, 6u);
}

Bytes itch_add(std::uint16_t stock, std::string_view symbol, std::uint64_t order, char side,
               std::uint32_t shares, std::uint32_t price) {
    Bytes out;
    put(out, 36, 2, true);
    put(out, "A");
    put(out, stock, 2, true);
    put(out, 0, 8);
    put(out, order, 8, true);
    put(out, static_cast<std::uint8_t>(side), 1);
    put(out, shares, 4, true);
    put(out, symbol);
    put(out, price, 4, true);
    return out;
}

TEST(Itch, ReadsTheOrdersOfOneStock) {
    Bytes file = itch_add(3, "ABC     ", 10, 'B', 100, 12'345);
    for (const char type : {'E', 'X', 'D', 'U'}) {
        const std::size_t size = type == 'E' ? 31 : type == 'X' ? 23 : type == 'D' ? 19 : 35;
        Bytes message;
        put(message, 0, 2);  // a length that the writer left out
        put(message, static_cast<std::uint8_t>(type), 1);
        put(message, 3, 2, true);
        put(message, 0, 8);
        put(message, 10, 8, true);
        put(message, 40, size - 19, true);
        file.insert(file.end(), message.begin(), message.end());
    }
    const auto recording = read_recording(Format::Itch, file);
    ASSERT_TRUE(recording) << recording.error().text;
    ASSERT_EQ(recording->messages.size(), 5u);
    EXPECT_EQ(recording->messages[0].price, 12'345);
    EXPECT_EQ(recording->messages[0].size, 100u);
    EXPECT_EQ(recording->messages[2].size, 40u);
    EXPECT_EQ(recording->messages[3].size, 0u);
    EXPECT_EQ(recording->messages[4].action, Action::Replace);
    EXPECT_EQ(recording->messages[4].price, 40);

    const Bytes other = itch_add(4, "XYZ     ", 11, 'S', 1, 1);
    file.insert(file.end(), other.begin(), other.end());
    EXPECT_EQ(read_recording(Format::Itch, file).error().text,
              "orders of several stocks: name the one that is meant");
    EXPECT_EQ(read_recording(Format::Itch, file, {.instrument = "XYZ"})->messages.size(), 1u);
    EXPECT_EQ(read_recording(Format::Itch, file, {.instrument = "ABC"})->messages.size(), 5u);
}

TEST(Itch, NamesWhatIsWrongAndWhere) {
    const Bytes good = itch_add(3, "ABC     ", 10, 'B', 100, 1);
    Bytes file = good;
    file.push_back(0);
    EXPECT_EQ(read_recording(Format::Itch, file).error().offset, good.size());
    file = good;
    file.pop_back();
    EXPECT_EQ(read_recording(Format::Itch, file).error().text, "the file ends within a message");
    file = good;
    file[1] = 35;
    EXPECT_EQ(read_recording(Format::Itch, file).error().text, "a message of type A has 36 bytes, not 35");
    file = good;
    file[2] = 'z';
    EXPECT_EQ(read_recording(Format::Itch, file).error().text, "unknown message type 122");
    file = good;
    file[2 + 19] = 'x';
    EXPECT_EQ(read_recording(Format::Itch, file).error().text, "an order that is neither B nor S");
}

TEST(Lobster, ReadsLinesAndNamesWhatIsWrong) {
    const auto read = [](std::string_view text) {
        return read_recording(Format::Lobster,
                              BytesView(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
    };
    const auto recording =
        read("34200.1,1,77,18,5853300,1\r\n34200.2,4,77,8,5853300,1\n34200.3,5,0,1,1,-1\n");
    ASSERT_TRUE(recording) << recording.error().text;
    ASSERT_EQ(recording->messages.size(), 3u);
    EXPECT_EQ(recording->messages[0].action, Action::Add);
    EXPECT_EQ(recording->messages[1].action, Action::Take);
    EXPECT_EQ(recording->messages[1].size, 8u);
    EXPECT_EQ(recording->messages[2].action, Action::None);
    EXPECT_EQ(read("1,1,7,1,1,1\n1,1,7").error().offset, 12u);
    EXPECT_EQ(read("1,1,7,1,1,1,1").error().offset, 0u);
    EXPECT_EQ(read("1,1,7x,1,1,1").error().text, "a whole number was expected in field 3");
    EXPECT_EQ(read("1,1,7,1,1,2").error().text, "the direction is neither 1 nor -1");
    EXPECT_EQ(read("1,8,7,1,1,1").error().text, "message type 8; known are 1 to 7");
    EXPECT_EQ(read("1,1,7,0,1,1").error().text, "an order's number and size have to be above zero");
}

}  // namespace
}  // namespace meridian::orderflow
