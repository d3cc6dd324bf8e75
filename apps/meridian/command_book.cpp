// meridian book replay: recorded order flow of a venue through the exchange's matching core.
#include "commands.hpp"

#include <meridian/base/hex.hpp>
#include <meridian/module/page_tree.hpp>
#include <meridian/orderflow/replay.hpp>
#include <meridian/store/arena_region.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

namespace meridian::app {
namespace {

using modules::exchange::Book;
using modules::exchange::BookState;
using modules::exchange::Level;
using modules::exchange::Order;
using modules::exchange::Side;

// 64 GiB of address space, of which memory is what the orders take.
constexpr std::uint32_t kPages = module::kPagesMax / 2;

struct BookOptions {
    std::string file;
    std::string format;
    std::string instrument;
    std::string bbo_out;
    std::string orders_out;
    bool json = false;
};

int refuse(const std::string& message, int code) {
    std::fprintf(stderr, "meridian book replay: %s\n", message.c_str());
    return code;
}

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

// Null for no name; `-` is stdout.
Result<File, std::string> open_output(const std::string& option, const std::string& name) {
    if (name.empty())
        return File();
    File out(std::fopen(name == "-" ? "/dev/stdout" : name.c_str(), "wb"));
    if (!out)
        return fail(option + ": cannot write " + name);
    return out;
}

// Whether all that was written has arrived.
bool close_output(File& file) {
    if (!file)
        return true;
    const bool written = std::fflush(file.get()) == 0 && std::ferror(file.get()) == 0;
    file.reset();
    return written;
}

class QuoteFile final : public orderflow::QuoteSink {
public:
    QuoteFile(std::FILE* out, const orderflow::CommandList& list) : m_out(out), m_list(list) {
        if (m_out != nullptr)
            std::fputs("sequence,bid_px,bid_sz,ask_px,ask_sz\n", m_out);
    }
    void on_quote(const orderflow::Quote& quote) override {
        last = quote;
        if (m_out == nullptr)
            return;
        std::string row = std::to_string(quote.sequence);
        side(row, quote.bid, quote.bid_size);
        side(row, quote.ask, quote.ask_size);
        row += '\n';
        std::fputs(row.c_str(), m_out);
    }

    orderflow::Quote last;

private:
    // An empty side leaves both of its columns empty.
    void side(std::string& row, modules::exchange::Price price, modules::exchange::Size size) const {
        row += ',';
        row += price == 0 ? "" : orderflow::price_text(m_list, price);
        row += ',';
        row += price == 0 ? "" : std::to_string(size);
    }

    std::FILE* m_out;
    const orderflow::CommandList& m_list;
};

// Resting orders, best price and oldest first, buys before sells.
void write_orders(std::FILE* out, const Book& book, const orderflow::CommandList& list) {
    std::fputs("order_id,side,price,size\n", out);
    for (const Side side : {Side::Buy, Side::Sell})
        for (const Level* level = book.best(side); level != nullptr; level = book.worse(side, *level))
            for (const Order* order = book.first(*level); order != nullptr; order = book.next(*order))
                std::fprintf(out, "%llu,%c,%s,%llu\n",
                             static_cast<unsigned long long>(list.venue_ids[order->id - 1]),
                             side == Side::Buy ? 'B' : 'A', orderflow::price_text(list, order->price).c_str(),
                             static_cast<unsigned long long>(order->remaining));
}

Result<orderflow::CommandList, std::string> read_commands(const BookOptions& options) {
    std::ifstream stream(options.file, std::ios::binary | std::ios::ate);
    if (!stream || !std::filesystem::is_regular_file(options.file))
        return fail(options.file + ": cannot be read");
    if (static_cast<std::uint64_t>(stream.tellg()) > orderflow::kRecordingBytesMax)
        return fail(options.file + ": more than 2 GiB: split the recording");
    Bytes file(static_cast<std::size_t>(stream.tellg()));
    stream.seekg(0);
    stream.read(reinterpret_cast<char*>(file.data()), static_cast<std::streamsize>(file.size()));
    if (!stream)
        return fail(options.file + ": cannot be read");
    const auto recording = orderflow::read_recording(*orderflow::format_from(options.format), file,
                                                     {.instrument = options.instrument});
    if (!recording)
        return fail(options.file + ": byte " + std::to_string(recording.error().offset) + ": " +
                    recording.error().text);
    auto commands = orderflow::to_commands(*recording);
    if (!commands)
        return fail(options.file + ": " + commands.error());
    return commands;
}

void report(const BookOptions& options, const orderflow::CommandList& list,
            const orderflow::ReplayReport& done, const Book& book, const Hash& commitment) {
    const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
    const char* format =
        options.json ? "{\"messages\":%llu,\"events\":%llu,\"orders\":%llu,\"resting\":%u,"
                       "\"unknown\":%llu,\"crossedEvents\":%llu,\"fills\":%llu,\"commitment\":\"0x%s\"}\n"
                     : "messages %llu, completed events %llu\norders %llu, resting at the end %u\n"
                       "messages about orders not shown before %llu\nevents that left the book "
                       "crossed %llu\ntrades of the book's own %llu\ncommitment 0x%s\n";
    std::printf(format, number(list.messages), number(done.events), number(list.orders), book.order_count(),
                number(list.unknown), number(done.crossed), number(done.fills), to_hex(commitment).c_str());
}

int run_book_replay(const BookOptions& options) {
    const auto list = read_commands(options);
    if (!list)
        return refuse(list.error(), kExitUsage);
    Result<File, std::string> quotes_file = open_output("--bbo-out", options.bbo_out);
    if (!quotes_file)
        return refuse(quotes_file.error(), kExitUsage);
    Result<File, std::string> orders_file = open_output("--orders-out", options.orders_out);
    if (!orders_file)
        return refuse(orders_file.error(), kExitUsage);

    const auto memory = store::ArenaRegion::reserve(kPages);
    if (!memory)
        return refuse("the system has no address space for the book", kExitFailed);
    auto arena = module::Arena::create(memory->region(), kPages);
    const auto created = Book::create(*arena, orderflow::rules_of(*list));
    if (!created)
        return refuse("the book has no memory", kExitFailed);
    const module::Place<BookState> place = *created;
    QuoteFile quotes(quotes_file->get(), *list);
    const auto done = orderflow::replay(*arena, place, *list, quotes);
    if (!done)
        return refuse(done.error(), kExitFailed);
    if (*orders_file)
        write_orders(orders_file->get(), Book(*arena, place), *list);
    if (!close_output(*quotes_file) || !close_output(*orders_file))
        return refuse("not all could be written", kExitFailed);
    module::PageTree tree(*arena);
    report(options, *list, *done, Book(*arena, place), tree.update(*arena));
    return done->fills == 0 ? 0 : kExitFailed;
}

}  // namespace

void add_book_command(CLI::App& app, int& exit_code) {
    CLI::App* book = app.add_subcommand("book", "The exchange's matching core alone");
    book->require_subcommand(1);
    CLI::App* command =
        book->add_subcommand("replay", "Replay recorded order flow, and tell the best bid and offer");
    auto options = std::make_shared<BookOptions>();
    command->add_option("file", options->file, "The recording; zstd is unpacked")->required();
    command
        ->add_option("--format", options->format,
                     "dbn (market by order), itch (NASDAQ 5.0) or lobster (message file)")
        ->required()
        ->check(CLI::IsMember({"dbn", "itch", "lobster"}));
    command->add_option("--instrument", options->instrument,
                        "Symbol (itch) or number (dbn) of the instrument, if the recording has several");
    command->add_option("--bbo-out", options->bbo_out,
                        "Where a row goes for each completed event: sequence,bid_px,bid_sz,ask_px,ask_sz");
    command->add_option("--orders-out", options->orders_out,
                        "Where the orders go that rest at the end: order_id,side,price,size");
    command->add_flag("--json", options->json, "One JSON object in place of the text");
    command->footer(
        "Exit codes: 0 done; 1 failed, or the recording made the book trade by itself; 2 wrong "
        "arguments or an unusable recording.");
    command->callback([options, &exit_code] { exit_code = run_book_replay(*options); });
}

}  // namespace meridian::app
