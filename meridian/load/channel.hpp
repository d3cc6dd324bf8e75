// One connection over which transactions are submitted, whatever its protocol. All calls and answers on the
// thread of the executor's context.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/base/u256.hpp>
#include <meridian/load/endpoint.hpp>

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace meridian::load {

// What a receipt says that the load needs.
struct Inclusion {
    bool succeeded = false;
    std::uint64_t gas_used = 0;
    u256 gas_price;  // effective; zero if the node did not say
};

// When the node sealed what includes a transaction.
struct FrameStamp {
    std::uint64_t number = 0;
    std::uint64_t timestamp_us = 0;  // since 1970
};

enum class Verdict : std::uint8_t {
    Accepted,
    AlreadyThere,  // in the pool or in a block: so it is when a submission is repeated
    NotNow,        // the node is busy, its pool full, or the nonce too far ahead: try again
    Refused,
};

struct SubmitAnswer {
    std::uint32_t txn = 0;  // as given to submit()
    Verdict verdict = Verdict::Accepted;
    std::string_view error;              // the node's words, for the time of the call
    std::optional<Inclusion> inclusion;  // if the answer is the receipt
};

class ChannelListener {
public:
    virtual ~ChannelListener() = default;
    virtual void on_answer(const SubmitAnswer& answer) = 0;
    // After an answer without the receipt, on channels that tell (`frame` is numbered across blocks).
    virtual void on_included(std::uint32_t txn, const Inclusion& inclusion, const FrameStamp& frame) = 0;
    // It was accepted, and will not be included; only on channels that tell.
    virtual void on_dropped(std::uint32_t txn, std::string_view reason) = 0;
    // The connection is gone; what was not answered never will be. Nothing comes after it until open().
    virtual void on_lost(std::string_view reason) = 0;
};

class Channel {
public:
    virtual ~Channel() = default;
    // Connects, waiting; again after on_lost(). Throws LoadFailure.
    virtual void open() = 0;
    // Whether the connection takes another submission now.
    virtual bool has_room() const { return true; }
    // Precondition: open, and has_room().
    virtual void submit(std::uint32_t txn, BytesView envelope) = 0;
};

// How a transaction is submitted.
enum class SubmitMethod : std::uint8_t {
    Plain,  // eth_sendRawTransaction
    Sync,   // eth_sendRawTransactionSync (EIP-7966): the answer is the receipt
};

struct ChannelOptions {
    Endpoint endpoint;
    SubmitMethod method = SubmitMethod::Plain;  // not looked at for Endpoint::Kind::Binary
    // For Endpoint::Kind::Binary alone: the chain that is meant, whether to be told of inclusions, and the
    // most that is not settled.
    std::uint64_t chain_id = 0;
    Hash genesis_hash;
    bool wait = true;
    std::size_t in_flight = 4'096;
};

// The listener has to outlive the channel.
std::unique_ptr<Channel> make_channel(boost::asio::io_context& io, const ChannelOptions& options,
                                      ChannelListener& listener);

}  // namespace meridian::load
