// Recorded order flow of real venues, in three public formats, as one kind of message.
//
// Sources: Databento Binary Encoding, market-by-order records (versions 1 to 3, plain or zstd); NASDAQ
// TotalView-ITCH 5.0; LOBSTER message files.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/base/result.hpp>
#include <meridian/modules/exchange/order.hpp>

#include <optional>
#include <string>
#include <vector>

namespace meridian::orderflow {

enum class Format { Dbn, Itch, Lobster };

// dbn, itch or lobster.
std::optional<Format> format_from(std::string_view name);

enum class Action : std::uint8_t {
    None,     // says nothing about resting orders: trades, halts, hidden executions
    Add,      // a resting order
    Take,     // `size` of an order has gone, by execution or cancellation; all of it if size is 0
    Amend,    // an order has another price or open size; one that was not there is added
    Replace,  // an order's place is taken by `new_id`
    Clear,    // the book is empty
};

struct Message {
    Action action = Action::None;
    modules::exchange::Side side = modules::exchange::Side::Buy;
    // After this message the book is what the venue showed.
    bool completes = false;
    std::uint64_t id = 0;
    std::uint64_t new_id = 0;
    // In units of 10^-price_decimals.
    std::int64_t price = 0;
    std::uint64_t size = 0;
    // The venue's, or the message's number in the file.
    std::uint64_t sequence = 0;
};

struct Recording {
    std::vector<Message> messages;
    unsigned price_decimals = 0;
};

// What is wrong with a file, and at which byte of it (of its content, if it is compressed).
struct ReadError {
    std::uint64_t offset;
    std::string text;
};

// Of a file and of its content.
inline constexpr std::uint64_t kRecordingBytesMax = std::uint64_t{2} << 30;

struct ReadOptions {
    // ITCH: the stock's symbol; DBN: the instrument's number. Needed if there are several.
    std::string instrument;
};

Result<Recording, ReadError> read_recording(Format format, BytesView file, const ReadOptions& options = {});

// The formats, without compression.
Result<Recording, ReadError> read_dbn(BytesView content, const ReadOptions& options);
Result<Recording, ReadError> read_itch(BytesView content, const ReadOptions& options);
Result<Recording, ReadError> read_lobster(BytesView content);

}  // namespace meridian::orderflow
